import { ownAgreement, visible, type AnswerableRequest, type RequestPart } from '#consent';
import type { ConsentRow } from '#store';
import { html, type Html } from '../pages/html.js';
import { momentInWords } from './choices.js';
import { requestPath, signInAndBack, withLink } from './paths.js';

/** A request, for one person at its page. */
export interface RequestView {
  readonly tenant: string;
  readonly person: string;
  /** What their identity provider calls them. */
  readonly name: string | null;
  readonly found: AnswerableRequest;
  /** What has come of it. */
  readonly consents: readonly ConsentRow[];
  /** Of its forms. */
  readonly token: string;
  /** The link by which they came, as it was in its URL. */
  readonly link: string | undefined;
  /** What went wrong with an answer. */
  readonly problem: string | undefined;
}

/** What became of a request so far, for somebody who looks at it: who has answered, and what happens now. */
export function became({ found, person, consents }: RequestView): Html {
  const { status, answers } = found.request;
  const hasAgreed = ownAgreement(answers, person) !== undefined;
  return html`${answers.map((answer) => answered(answer, person))}
    <p>${HAPPENS[status]}</p>
    ${
      status === 'approved'
        ? html`<ul>
            ${consents.map((consent) => html`<li>${stateOf(consent)} ${hasAgreed ? receiptLink(consent) : undefined}</li>`)}
          </ul>`
        : undefined
    }`;
}

function answered(
  { person, answer, at, brokeGlass, withdrawnAt }: AnswerableRequest['request']['answers'][number],
  own: string,
): Html {
  const back = withdrawnAt === null ? '' : `, and took it back (${momentInWords(withdrawnAt)})`;
  const why = brokeGlass === null ? undefined : html` <q><bdi>${visible(brokeGlass)}</bdi></q>`;
  const what = brokeGlass === null ? answer : 'broken the glass';
  return person === own
    ? html`<p><strong>You have ${what} (${momentInWords(at)})${back}.</strong>${why}</p>`
    : html`<p><bdi dir="ltr">${person}</bdi> has ${what} (${momentInWords(at)})${back}.${why}</p>`;
}

const HAPPENS: Readonly<Record<AnswerableRequest['request']['status'], string>> = {
  pending: 'It is open. Until everything that is required has been agreed to, nothing happens.',
  approved:
    'The application can go on now, as far as it was agreed to and as long as the policy still lets it. It learns of that by itself.',
  denied: 'The application is told so, and nothing happens. It is not asked again by itself.',
  expired: 'Nobody has answered in time. Nothing happens, unless the application asks anew.',
  cancelled: 'The application has taken it back before it was answered. Nothing happens.',
};

/** What is still required of an open request, and what whoever looks can do about it. */
export function stillRequired({ tenant, found, link }: RequestView): Html | undefined {
  const { request, parts } = found;
  const unmet = parts.filter(({ isMet }) => !isMet);
  if (request.answers.length === 0 && !unmet.some(({ yours }) => yours === 'sign_in')) return undefined;
  const back = withLink(requestPath(tenant, request.id), link);
  return html`<h2>What is still required</h2>
    <ul>
      ${unmet.map((part) => html`<li>${required(part)} ${yours(part, back)}</li>`)}
    </ul>`;
}

function required({ requirement: { rule, consent }, people, wanted, isHalfBroken }: RequestPart): Html {
  const broken = isHalfBroken ? 'one person has broken the glass, and it takes two. ' : '';
  const agreed = `${broken}${people} of ${wanted} ${wanted === 1 ? 'has' : 'have'} agreed`;
  return html`${rule === null ? 'The default of this tenant' : `The rule "${rule.rule}" of the policy "${rule.policy}"`}:
    ${agreed} of those who may: <bdi dir="ltr">${consent.by.join(', ')}</bdi>${
      consent.assurance === undefined ? '' : html`, signed in as <bdi dir="ltr">${consent.assurance}</bdi>`
    }.`;
}

function yours({ yours: can, signInAt }: RequestPart, back: string): Html | undefined {
  if (can === 'agree') return html`You can agree to it.`;
  if (signInAt === undefined) return undefined;
  return html`You are not signed in like that, so what you agree to now does not count for it.
    <a class="button" href="${signInAndBack(signInAt, back)}">Sign in like that</a>`;
}

/** The form that takes back what somebody has agreed to. */
export const takeBackForm = ({ tenant, found, token }: RequestView): Html =>
  html`<form method="post" action="${requestPath(tenant, found.request.id)}/take-back">
      <input type="hidden" name="token" value="${token}" />
      <button>Take my agreement back</button>
    </form>
    <p>
      ${
        found.request.status === 'pending'
          ? 'Nothing has come of it yet. Once it is taken back it counts for nothing; while the request is open you can answer anew.'
          : 'Once it is taken back nothing is allowed by it any more. What was done by it before is not undone.'
      }
    </p>`;

const receiptLink = ({ id }: ConsentRow): Html =>
  html`<a href="/api/v1/me/consents/${encodeURIComponent(id)}/receipt" download>Download its receipt</a>`;

function stateOf({ usesLeft, expiresAt, endedFor, lastUsedAt }: ConsentRow): string {
  const used = lastUsedAt === null ? 'not used yet' : `last used at ${momentInWords(lastUsedAt)}`;
  if (endedFor === 'used') return `It is used up: ${used}.`;
  if (endedFor === 'revoked') return `It was taken back: ${used}.`;
  if (endedFor === 'superseded')
    return `It counts no more: a later agreement stands in its place, or what it was for has changed. It was ${used}.`;
  const calls = usesLeft === null ? 'any number of calls' : usesLeft === 1 ? 'one call' : `${usesLeft} calls`;
  return `It is good for ${calls} until ${momentInWords(expiresAt)}: ${used}.`;
}
