import { shownOf, type AskedRequirement, type Shown } from '#consent';
import type { Question } from '#decision';
import { choicesOf, isJsonObject, own, type JsonObject, type PolicySet } from '#policy';

/** What a request is about, as it was found when it was decided. */
export interface About {
  readonly subject: { readonly type: string; readonly id: string };
  readonly agent: string;
  readonly server: string | null;
  readonly resource: string;
  readonly requirements: readonly AskedRequirement[];
}

/** The text that people are shown, with what the registry knows of the application, the server and the tool. */
export function askedText(set: PolicySet, question: Question, about: About, hints: JsonObject | null): Shown {
  const { subject, agent, requirements } = about;
  const server = about.server === null ? undefined : set.server({ name: about.server });
  const tool = server && question.resource.type === 'tool' ? set.tool(server, about.resource) : undefined;
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
    action: question.action,
    resource: { type: question.resource.type, id: about.resource },
    tool: tool ? { description: tool.document.description ?? null, operation: tool.document.operation ?? null } : null,
    hints,
    arguments: question.arguments,
    purpose: typeof purpose === 'string' ? purpose : null,
    definition: question.definition ?? null,
    requirements,
    choices: choicesOf(
      requirements.map(({ consent }) => consent),
      question.session !== null,
    ),
  });
}

/** The annotations of a definition that a host has sent. */
export function hintsOf(tool: unknown): JsonObject | null {
  const definition = isJsonObject(tool as JsonObject) ? own(tool as JsonObject, 'definition') : undefined;
  const annotations = isJsonObject(definition) ? own(definition, 'annotations') : undefined;
  return isJsonObject(annotations) ? annotations : null;
}
