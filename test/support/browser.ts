/** Cookies by host name, as a browser keeps them: attributes but for Path and the end of life are not looked at. */
export class Cookies {
  readonly #kept = new Map<string, Map<string, string>>();

  /** Every `Set-Cookie` header that came, by host. */
  readonly set: { readonly host: string; readonly header: string }[] = [];

  get(url: string, name: string): string | undefined {
    return this.#of(url).get(name);
  }

  put(url: string, name: string, value: string): void {
    this.#of(url).set(name, value);
  }

  drop(url: string, name: string): void {
    this.#of(url).delete(name);
  }

  /** One request with the cookies of its host. Redirects are not followed. */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.#of(url)].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = new Headers(init.headers);
    if (cookie !== '') headers.set('Cookie', cookie);
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const header of response.headers.getSetCookie()) {
      this.set.push({ host: new URL(url).host, header });
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(header)!;
      const isOver = /max-age=0/i.test(header) || /expires=Thu, 01 Jan 1970/i.test(header);
      if (isOver || value === '') this.drop(url, name!);
      else this.put(url, name!, value!);
    }
    return response;
  }

  /** Follows redirects until one leads where `until` says; returns that URL, unvisited. */
  async follow(from: string, until: (to: string) => boolean): Promise<string> {
    let at = from;
    for (let step = 0; step < 20; step++) {
      const response = await this.fetch(at);
      const to = response.headers.get('location');
      if (to === null) throw new Error(`${at} answers ${response.status}: ${(await response.text()).slice(0, 300)}`);
      at = new URL(to, at).href;
      if (until(at)) return at;
    }
    throw new Error(`more than 20 redirects from ${from}`);
  }

  #of(url: string): Map<string, string> {
    const { host } = new URL(url);
    const kept = this.#kept.get(host) ?? new Map<string, string>();
    this.#kept.set(host, kept);
    return kept;
  }
}
