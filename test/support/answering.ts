import { startAskingCompany, type AskingCompany } from './asking.js';
import type { Cookies } from './browser.js';
import type { TestOptions } from './service.js';

/** A company whose people answer at the pages of their requests. */
export interface Answering extends AskingCompany {
  /** A request to a page, as by a link, or with the form of a page of ours. */
  page(who: Cookies, path: string, form?: Record<string, string>, headers?: Record<string, string>): Promise<Page>;
}

export interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export async function startAnswering(options: TestOptions = {}): Promise<Answering> {
  const company = await startAskingCompany(options);
  return {
    ...company,
    async page(who, path, form, headers = { 'Sec-Fetch-Site': 'same-origin', Origin: 'null' }) {
      const answer = await who.fetch(company.service.url + path, {
        ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
        headers: form === undefined ? {} : headers,
      });
      return { status: answer.status, headers: answer.headers, text: await answer.text() };
    },
  };
}

/** The hidden fields of the first form of a page. */
export function fieldsOf({ text }: Page): Record<string, string> {
  const form = /<form[^]*?<\/form>/.exec(text)?.[0] ?? '';
  const fields = [...form.matchAll(/<input\s+type="hidden"\s+name="([^"]*)"\s+value="([^"]*)"/g)];
  return Object.fromEntries(fields.map(([, name, value]) => [name!, value!]));
}
