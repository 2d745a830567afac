import { shownOf, type AskedRequirement, type Shown } from '#consent';
import type { Question } from '#decision';
import { choicesOf, isJsonObject, own, type JsonObject, type PolicySet } from '#policy';

/** What a request is about, as it was found when it was decided. */
interface About {
  readonly subject: { readonly type: string; readonly id: string };
  readonly agent: string;
  readonly server: string | null;
  /** What it asks, and what else the same message asks. */
  readonly asked: readonly [AskedQuestion, ...AskedQuestion[]];
}

/** One question that asks, with what must be agreed to. */
export interface AskedQuestion {
  readonly question: Question;
  readonly resource: string;
  readonly attributes: JsonObject;
  readonly requirements: readonly AskedRequirement[];
}

/** The text that people are shown, with what the registry knows of the application, the server and the tool. */
export function askedText(set: PolicySet, about: About, hints: JsonObject | null): Shown {
  const { subject, agent, asked } = about;
  const [{ question, resource }] = asked;
  const [first, ...also] = asked.map((one) => ({
    action: one.question.action,
    resource: { type: one.question.resource.type, id: one.resource },
    arguments: one.question.arguments,
    attributes: one.attributes,
    requirements: one.requirements,
  }));
  const server = about.server === null ? undefined : set.server({ name: about.server });
  const tool = server && question.resource.type === 'tool' ? set.tool(server, resource) : undefined;
  const purpose = own(question.context, 'purpose');
  return shownOf({
    subject,
    agent: { id: agent, title: set.host(agent)?.title ?? null },
    server: server
      ? {
          id: server.name,
          title: server.title ?? null,
          identity: server.identity,
        }
      : null,
    ...first!,
    tool: tool ? { description: tool.document.description ?? null, operation: tool.document.operation ?? null } : null,
    hints,
    // An agreement is bound to it, whatever a host makes it of.
    purpose: typeof purpose === 'string' || purpose === undefined ? (purpose ?? null) : JSON.stringify(purpose),
    definition: question.definition ?? null,
    choices: choicesOf(
      asked.flatMap(({ requirements }) => requirements.map(({ consent }) => consent)),
      question.session !== null,
    ),
    also,
  });
}

/** The annotations of a definition that a host has sent. */
export function hintsOf(tool: unknown): JsonObject | null {
  const definition = isJsonObject(tool as JsonObject) ? own(tool as JsonObject, 'definition') : undefined;
  const annotations = isJsonObject(definition) ? own(definition, 'annotations') : undefined;
  return isJsonObject(annotations) ? annotations : null;
}
