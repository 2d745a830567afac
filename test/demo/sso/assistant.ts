import { createPlacetClient, type Decision, type PlacetClient } from '#client';
import type { Explanation } from '#policy';

/** An answer, and why it is so; nothing of the latter where Placet refused to decide. */
export interface Answer {
  readonly decision: Decision;
  readonly explanation: Explanation | undefined;
}

/** The application that people work with: it asks Placet before it calls a tool. */
export class Assistant {
  readonly #placet: PlacetClient;
  #explanation: Explanation | undefined;

  constructor(url: string, key: string) {
    this.#placet = createPlacetClient({ url, key, fetch: (to, init) => this.#explained(to, init) });
  }

  /** Asks whether somebody may call a tool, by the token that it has of them. */
  async ask(token: string, tool: string): Promise<Answer> {
    this.#explanation = undefined;
    const params = { name: tool, arguments: {} };
    const decision = await this.#placet.decide({
      subject: { token },
      server: 'tickets',
      direction: 'client_to_server',
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    });
    return { decision, explanation: this.#explanation };
  }

  /** Asks for the explanation besides, which the client has no use for. */
  async #explained(to: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const question = JSON.parse(init.body as string) as object;
    const response = await fetch(to, { ...init, body: JSON.stringify({ ...question, explain: true }) });
    const answer = (await response.clone().json()) as { readonly explanation?: Explanation };
    this.#explanation = answer.explanation;
    return response;
  }
}
