import type { Api } from './api.js';

/** Asks for a listing page by page, for as long as more is wanted. */
export async function* pagesOf<Page extends { readonly next_page_token?: string }>(
  api: Api,
  path: string,
): AsyncGenerator<Page> {
  let token: string | undefined;
  do {
    const more = token === undefined ? '' : `${path.includes('?') ? '&' : '?'}page_token=${token}`;
    const page: Page = await api.get(path + more);
    yield page;
    token = page.next_page_token;
  } while (token !== undefined);
}
