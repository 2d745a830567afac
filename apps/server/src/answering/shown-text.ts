import { whoInWords, type Shown, type ShownBeside, type ShownValue } from '#consent';
import { html, type Html } from '../pages/html.js';

/** The text that people are shown, as it is stored, in HTML: what to beware of first. Nothing of it is left out. */
export function shownText(shown: Shown, digest: string): Html {
  return html`${warnings(shown)}
    <p><strong>${name(shown.title)}</strong></p>
    <dl>
      ${row('On behalf of', shown.for)} ${row('Through', shown.through)} ${server(shown)} ${row('What', shown.what)}
      ${row('What that does, as registered', shown.operation ?? 'not registered')}
      ${shown.description === null ? undefined : row('Description', shown.description)}
      ${shown.purpose === null ? undefined : row('Purpose, as the application says; nobody has checked it', shown.purpose)}
    </dl>
    ${hints(shown)} ${given(shown)} ${(shown.also ?? []).map(beside)}
    <p>
      <small>
        Definition of the tool: <span class="digest">${shown.definition ?? 'not known'}</span><br />
        Digest of this text: ${digest}
      </small>
    </p>`;
}

const given = ({ arguments: values, attributes = [], asked_by: by }: ShownBeside): Html =>
  html`<h2>${countOf(values.length)}</h2>
    ${values.map(value)}
    ${
      attributes.length === 0
        ? undefined
        : html`<h2>What comes with it</h2>
            ${attributes.map(value)}`
    }
    <h2>Why people are asked</h2>
    <ul>
      ${by.map(asking)}
    </ul>`;

/** Whoever agrees agrees to this as well. */
const beside = (also: ShownBeside): Html =>
  html`<h2>The same message also does this, and you are asked for it with the rest</h2>
    <dl>${row('What', also.what)}</dl>
    ${given(also)}`;

const warnings = ({ warnings }: Shown): Html | undefined =>
  warnings.length === 0
    ? undefined
    : html`<div role="alert">
        <strong>Look twice.</strong>
        <ul>
          ${warnings.map((warning) => html`<li>${warning}</li>`)}
        </ul>
      </div>`;

const server = ({ server }: Shown): Html | undefined =>
  server === null
    ? undefined
    : html`${row('Server', server.title === undefined ? server.name : `${server.title} (${server.name})`)}
      ${server.identity.map((part) => row('Identity of the server', part))}`;

const hints = ({ untrusted_hints: hints }: Shown): Html | undefined =>
  hints.length === 0
    ? undefined
    : html`<p>The server says of its own tool, and nobody has checked it:</p>
        <ul>
          ${hints.map((hint) => html`<li><em>${hint}</em> (not trusted)</li>`)}
        </ul>`;

const countOf = (count: number): string =>
  count === 0 ? 'No arguments' : count === 1 ? 'One argument' : `All ${count} arguments`;

const WARNED: Readonly<Record<ShownValue['warnings'][number], string>> = {
  unseen: 'has characters that cannot be seen',
  alphabets: 'has letters that look like others',
  directions: 'is written in two directions',
  long: 'is long',
  cut: 'is not shown whole',
};

const value = ({ place, type, text, warnings }: ShownValue): Html =>
  html`<div>
    <p>
      <strong>${name(place)}</strong> <small>(${type})</small>
      ${warnings.map((warning) => html`<br /><em>${WARNED[warning]}</em>`)}
    </p>
    <pre dir="ltr">${text}</pre>
  </div>`;

const asking = ({
  policy,
  rule,
  who,
  approvals,
  not_self: notSelf,
  bound_to: bound,
}: Shown['asked_by'][number]): Html =>
  html`<li>
    ${policy === null ? 'The default of this tenant' : `The rule "${rule ?? ''}" of the policy "${policy}"`} asks for
    the agreement of
    ${approvals === 1 ? '' : `${approvals} people out of: `}${name(whoInWords(who))}${notSelf ? ', but not of the person on whose behalf it is done' : ''}.
    ${
      bound === 'all'
        ? 'An agreement is to exactly this, as it stands above.'
        : html`<strong
            >An agreement is bound only to: ${name(bound.length === 0 ? 'no argument' : bound.join(', '))}. All other
            arguments, and what comes with them, may be different.</strong
          >`
    }
  </li>`;

const row = (label: string, text: string): Html =>
  html`<dt>${label}</dt>
    <dd><pre dir="ltr">${text}</pre></dd>`;

/** Something of somebody else's within a sentence of ours: it does not turn around what is beside it. */
const name = (text: string): Html => html`<bdi dir="ltr">${text}</bdi>`;
