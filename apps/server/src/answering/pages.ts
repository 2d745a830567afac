import { ownAgreement, type AnswerableRequest, type Shown } from '#consent';
import { html, type Html } from '../pages/html.js';
import type { Page } from '../pages/page.js';
import { became, stillRequired, takeBackForm, type RequestView } from './became.js';
import { momentInWords, offered, wordsOf } from './choices.js';
import { listPath, requestPath } from './paths.js';
import { shownText } from './shown-text.js';
import { valueOf } from './wire.js';

/** What somebody is asked, with the form of the answer while there is one to give; else what became of it. */
export function requestPage(view: RequestView): Page {
  const { found, tenant, person, problem } = view;
  const { request } = found;
  const shown = JSON.parse(request.shown) as Shown;
  const hasAgreed = ownAgreement(request.answers, person) !== undefined;
  const isPending = request.status === 'pending';
  const isOpen = isPending && found.as !== 'none' && (!hasAgreed || found.parts.some(({ yours }) => yours === 'agree'));
  const canTakeBack = hasAgreed && (isPending || view.consents.some(({ endedAt }) => endedAt === null));
  return {
    title: isOpen ? 'Do you agree?' : TITLES[request.status],
    wide: true,
    body: html`${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
      ${isOpen && request.answers.length === 0 ? undefined : became(view)}
      ${isPending ? stillRequired(view) : undefined} ${canTakeBack && !isPending ? takeBackForm(view) : undefined}
      ${signedInAs(tenant, person, view.name)} ${shownText(shown, request.shownDigest)}
      ${isOpen ? answerForm(view) : undefined} ${canTakeBack && isPending ? takeBackForm(view) : undefined}
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
  const answered = new Set(request.answers.flatMap((one) => (one.withdrawnAt === null ? [one.person] : []))).size;
  return html`<li>
    <a href="${requestPath(tenant, request.id)}"><bdi dir="ltr">${shown.title}</bdi></a>
    for <bdi dir="ltr">${shown.for}</bdi>, until ${momentInWords(request.expiresAt)}
    ${as === 'break_glass' ? '(only in an emergency)' : ''} ${answered > 0 ? `(answered by ${answered} so far)` : ''}
  </li>`;
}

/**
 * Nothing is chosen before the person does, and to refuse takes no more than to agree: the same choice, and the same button.
 * It stands below all that there is to read.
 */
function answerForm({ tenant, found, token, link }: RequestView): Html {
  const { request, as, choices, breakers } = found;
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
      ${as === 'break_glass' ? glass(breakers) : undefined}
      <button>Send my answer</button>
    </form>`;
}

const glass = (breakers: 1 | 2): Html =>
  html`<p role="alert">
      You are not among those who may agree. You can break the glass in an emergency: it is for one call, it is
      recorded, and others are told.
      ${breakers === 2 ? 'It takes two people: nothing happens until another one has done so, too.' : undefined}
    </p>
    <label for="break_glass">Why it cannot wait (needed to break the glass)</label>
    <textarea id="break_glass" name="break_glass" rows="3" minlength="10" maxlength="2000"></textarea>`;
