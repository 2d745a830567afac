/** What a case of a Test asks, as far as it is written in one place: the case, or the defaults of its document. */
export interface TestRequest {
  readonly subject?:
    | {
        readonly type: string;
        readonly id: string;
        readonly properties?: Record<string, unknown> | undefined;
        readonly assurance?: 'asserted' | 'verified' | undefined;
        readonly groups?: readonly string[] | undefined;
        readonly token?: Record<string, unknown> | undefined;
      }
    | undefined;
  readonly host?: string | undefined;
  readonly server?: string | undefined;
  readonly action?: string | undefined;
  readonly tool?: string | undefined;
  readonly resource?:
    | { readonly type: string; readonly id: string; readonly properties?: Record<string, unknown> | undefined }
    | undefined;
  readonly arguments?: Record<string, unknown> | undefined;
  readonly context?: Record<string, unknown> | undefined;
  readonly session?: { readonly id: string } | undefined;
  readonly now?: string | undefined;
}

/** A request whose parts are all known. */
export interface WholeTestRequest extends TestRequest {
  readonly subject: NonNullable<TestRequest['subject']>;
  readonly host: string;
  readonly action: string;
}

/** What a tool is called by. */
const CALL = 'tools/call';

/**
 * A case's request on top of the defaults, member by member: what a case has replaces the whole of a default. `tool` and
 * `resource` say the same thing in two ways, so that either replaces both. Or what is missing, or too much.
 */
export function wholeRequest(defaults: TestRequest = {}, own: TestRequest = {}): WholeTestRequest | { wrong: string } {
  if (own.tool !== undefined && own.resource !== undefined) return { wrong: 'write tool or resource, not both' };
  const { tool, resource, ...rest } = defaults;
  const used = own.tool === undefined && own.resource === undefined ? { tool, resource } : {};
  const { subject, host, action, ...more }: TestRequest = { ...used, ...rest, ...own };
  if (subject === undefined) return { wrong: "'subject' is missing: who it is about" };
  if (host === undefined) return { wrong: "'host' is missing: the application that asks" };
  if (more.tool === undefined && action === undefined) return { wrong: "'action' is missing, or a 'tool' to call" };
  if (more.resource === undefined && more.server === undefined)
    return { wrong: "'server' is missing, or a 'resource' of a type that belongs to none" };
  return { ...more, subject, host, action: action ?? CALL };
}
