import { Cookies } from '../support/browser.js';

/** What a person can say to a request. */
export type GivenAnswer = 'agree' | 'refuse';

/** What of a request a person is shown, as far as the demo repeats it. */
interface Shown {
  readonly title: string;
  readonly for: string;
  readonly arguments: readonly { readonly place: string; readonly text: string }[];
  readonly definition: string | null;
}

/** A request as a person finds it who looks at its page. */
export interface FoundRequest {
  /** What is asked, in the words of the request. */
  readonly text: string;
  /** Answers to exactly that, and says where the request stands then. Rejects where it is not taken. */
  answer(given: GivenAnswer): Promise<string>;
}

/** Who is at the keyboard of the demo's identity provider looks at a request; undefined: it is none that they may answer. */
export async function lookAt(page: string): Promise<FoundRequest | undefined> {
  const { origin, pathname } = new URL(page);
  const browser = new Cookies();
  const home = `${origin}/t/default`;
  const back = await browser.follow(`${home}/sign-in/company`, (to) => to.startsWith(`${home}/`));
  const signedIn = await browser.fetch(back);
  if (signedIn.status !== 303) throw new Error(`nobody could sign in: ${await signedIn.text()}`);

  const address = `${origin}/api/v1/me/requests/${pathname.split('/').at(-1)!}`;
  const found = await browser.fetch(address);
  if (found.status === 404) return undefined;
  if (!found.ok) throw new Error(`the request could not be looked at: ${await found.text()}`);
  const { shown, shown_digest: digest } = (await found.json()) as { shown: Shown; shown_digest: string };
  return {
    text: textOf(shown),
    async answer(given) {
      const answered = await browser.fetch(`${address}/answer`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Placet-Request': '1', 'Sec-Fetch-Site': 'same-origin' },
        body: JSON.stringify({ answer: given, shown: digest }),
      });
      if (!answered.ok) throw new Error(`the answer was not taken: ${await answered.text()}`);
      return ((await answered.json()) as { status: string }).status;
    },
  };
}

function textOf({ title, for: subject, arguments: given, definition }: Shown): string {
  const values = given.map(({ place, text }) => `${place} = ${text}`).join(', ');
  const tool = definition === null ? '' : `; as the tool is defined now (${definition.slice(0, 8)})`;
  return `${title}, for ${subject}, with ${values}${tool}`;
}
