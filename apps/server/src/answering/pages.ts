import type { AnswerableRequest, Shown } from '#consent';
import type { ConsentRow } from '#store';
import { html, type Html } from '../pages/html.js';
import type { Page } from '../pages/page.js';
import { momentInWords, offered, wordsOf } from './choices.js';
import { shownText } from './shown-text.js';
import { valueOf } from './wire.js';

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

/** What somebody is asked, with the form of the answer while there is one to give; else what became of it. */
export function requestPage(view: RequestView): Page {
  const { found, tenant, person, problem } = view;
  const { request } = found;
  const shown = JSON.parse(request.shown) as Shown;
  const own = request.answers.find((answer) => answer.person === person);
  const isOpen = request.status === 'pending' && !own && found.as !== 'none';
  return {
    title: isOpen ? 'Do you agree?' : TITLES[request.status],
    wide: true,
    body: html`${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
      ${isOpen ? undefined : became(view)} ${signedInAs(tenant, person, view.name)}
      ${shownText(shown, request.shownDigest)} ${isOpen ? answerForm(view) : undefined}
      <p><a class="button" href="${listPath(tenant)}">What else I am asked</a></p>`,
  };
}

const TITLES: Readonly<Record<AnswerableRequest['request']['status'], string>> = {
  pending: 'Answered',
  approved: 'Agreed',
  denied: 'Refused',
  expired: 'Too late',
  cancelled: 'Taken back',
};

/** Requests that are open for somebody: about themselves, and about others. */
export function listPage(
  tenant: string,
  { person, name }: Pick<RequestView, 'person' | 'name'>,
  own: readonly AnswerableRequest[],
  others: readonly AnswerableRequest[],
  isAll: boolean,
): Page {
  const part = (title: string, requests: readonly AnswerableRequest[]): Html =>
    html`<h2>${title}</h2>
      ${
        requests.length === 0
          ? html`<p>Nothing.</p>`
          : html`<ul>
              ${requests.map((found) => item(tenant, found))}
            </ul>`
      }`;
  return {
    title: 'What you are asked',
    wide: true,
    body: html`${signedInAs(tenant, person, name)} ${part('For yourself', own)} ${part('For others', others)}
    ${isAll ? undefined : html`<p>There is more: these are the oldest. The others come when they are answered.</p>`}`,
  };
}

/** Who looks, and the way to be somebody else. */
const signedInAs = (tenant: string, person: string, name: string | null): Html =>
  html`<p>
    You are signed in as ${name === null ? undefined : html`<bdi>${name}</bdi>, `}<bdi dir="ltr">${person}</bdi>.
    <a href="/t/${encodeURIComponent(tenant)}/">Is this not you?</a>
  </p>`;

/** Said to whoever may not see a request, the same for one that is not there. */
export const nothingPage = (tenant: string, person: string, name: string | null, problem: string): Page => ({
  title: 'Nothing for you here',
  body: html`<p role="alert">${problem}</p>
    ${signedInAs(tenant, person, name)}
    <p>If you were asked as somebody else, sign out there, and open the link anew.</p>
    <p><a class="button" href="${listPath(tenant)}">What I am asked</a></p>`,
});

/** Said to somebody who has to sign in better before they can agree. */
export const signInBetterPage = (path: string): Page => ({
  title: 'Sign in once more',
  body: html`<p>To agree to this you have to sign in in a better way. Then you are asked again.</p>
    <p><a class="button" href="${path}">Continue</a></p>`,
});

function item(tenant: string, { request, as }: AnswerableRequest): Html {
  const shown = JSON.parse(request.shown) as Shown;
  return html`<li>
    <a href="${requestPath(tenant, request.id)}"><bdi dir="ltr">${shown.title}</bdi></a>
    for <bdi dir="ltr">${shown.for}</bdi>, until ${momentInWords(request.expiresAt)}
    ${as === 'break_glass' ? '(only in an emergency)' : ''}
    ${request.answers.length > 0 ? `(answered by ${request.answers.length} so far)` : ''}
  </li>`;
}

/**
 * Nothing is chosen before the person does, and to refuse takes no more than to agree: the same choice, and the same button.
 * It stands below all that there is to read.
 */
function answerForm({ tenant, found, token, link }: RequestView): Html {
  const { request, as, choices } = found;
  // Whoever breaks the glass does it for one call, whatever else could be chosen.
  const left = as === 'break_glass' ? choices.slice(0, 1) : offered(choices);
  const options = [
    { value: 'refuse', words: 'Refuse' },
    ...left.map((choice) => ({
      value: valueOf(choice),
      words: as === 'break_glass' ? 'Break the glass, for one call' : wordsOf(choice),
    })),
  ];
  return html`<h2>Your answer</h2>
    <p>It can be given until ${momentInWords(request.expiresAt)}. If you did not expect this, refuse.</p>
    <form method="post" action="${requestPath(tenant, request.id)}">
      <input type="hidden" name="token" value="${token}" />
      <input type="hidden" name="shown" value="${request.shownDigest}" />
      ${link === undefined ? undefined : html`<input type="hidden" name="link" value="${link}" />`}
      <fieldset>
        <legend>Choose</legend>
        ${options.map(
          ({ value, words }) =>
            html`<label><input type="radio" name="answer" value="${value}" required />${words}</label>`,
        )}
      </fieldset>
      ${as === 'break_glass' ? glass : undefined}
      <button>Send my answer</button>
    </form>`;
}

const glass = html`<p role="alert">
    You are not among those who may agree. You can break the glass in an emergency: it is for one call, it is recorded,
    and others are told.
  </p>
  <label for="break_glass">Why it cannot wait (needed to break the glass)</label>
  <textarea id="break_glass" name="break_glass" rows="3" minlength="10" maxlength="2000"></textarea>`;

/** What became of a request, what happens now, and how it is taken back. */
function became(view: RequestView): Html {
  const { found, person } = view;
  const { request } = found;
  const own = request.answers.find((answer) => answer.person === person);
  const others = request.answers.filter((answer) => answer.person !== person);
  return html`${own ? html`<p><strong>You have ${own.answer} (${momentInWords(own.at)}).</strong></p>` : undefined}
    ${others.map(
      ({ person: who, answer, at }) => html`<p><bdi dir="ltr">${who}</bdi> has ${answer} (${momentInWords(at)}).</p>`,
    )}
    <p>${HAPPENS[request.status]}</p>
    ${request.status === 'approved' ? takingBack(view, own?.answer === 'agreed') : undefined}
    ${request.status === 'pending' && own?.answer === 'agreed' ? takingBackBefore(view) : undefined}`;
}

const HAPPENS: Readonly<Record<AnswerableRequest['request']['status'], string>> = {
  pending:
    'Others have to agree as well. Until they have, nothing happens. You can take your part back here, now and afterwards.',
  approved:
    'The application can go on now, as far as it was agreed to and as long as the policy still lets it. It learns of that by itself.',
  denied: 'The application is told so, and nothing happens. It is not asked again by itself.',
  expired: 'Nobody has answered in time. Nothing happens, unless the application asks anew.',
  cancelled: 'The application has taken it back before it was answered. Nothing happens.',
};

function takingBack({ tenant, found, consents, token }: RequestView, hasAgreed: boolean): Html {
  const live = consents.filter(({ endedAt }) => endedAt === null);
  const list = html`<ul>
    ${consents.map((consent) => html`<li>${stateOf(consent)} ${hasAgreed ? receiptLink(consent) : undefined}</li>`)}
  </ul>`;
  if (!hasAgreed || live.length === 0) return list;
  return html`${list} ${takeBackForm(tenant, found, token)}
    <p>Once it is taken back nothing is allowed by it any more. What was done by it before is not undone.</p>`;
}

const receiptLink = ({ id }: ConsentRow): Html =>
  html`<a href="/api/v1/me/consents/${encodeURIComponent(id)}/receipt" download>Download its receipt</a>`;

/** Before all have agreed who have to. */
const takingBackBefore = ({ tenant, found, token }: RequestView): Html =>
  html`${takeBackForm(tenant, found, token)}
    <p>Once it is taken back the request is refused, whatever others answer.</p>`;

const takeBackForm = (tenant: string, { request }: AnswerableRequest, token: string): Html =>
  html`<form method="post" action="${requestPath(tenant, request.id)}/take-back">
    <input type="hidden" name="token" value="${token}" />
    <button>Take my agreement back</button>
  </form>`;

function stateOf({ usesLeft, expiresAt, endedFor, lastUsedAt }: ConsentRow): string {
  const used = lastUsedAt === null ? 'not used yet' : `last used at ${momentInWords(lastUsedAt)}`;
  if (endedFor === 'used') return `It is used up: ${used}.`;
  if (endedFor === 'revoked') return `It was taken back: ${used}.`;
  if (endedFor === 'superseded') return `A later agreement stands in its place: ${used}.`;
  const calls = usesLeft === null ? 'any number of calls' : usesLeft === 1 ? 'one call' : `${usesLeft} calls`;
  return `It is good for ${calls} until ${momentInWords(expiresAt)}: ${used}.`;
}

/** The page of what somebody is asked. */
export const listPath = (tenant: string): string => `/t/${encodeURIComponent(tenant)}/requests`;

/** The page of one request. */
export const requestPath = (tenant: string, id: string): string => `${listPath(tenant)}/${encodeURIComponent(id)}`;
