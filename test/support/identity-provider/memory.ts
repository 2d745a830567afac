import type { Adapter, AdapterPayload } from 'oidc-provider';

/** What an identity provider of a test keeps, in memory; its clients come from a list that can grow while it runs. */
export class Memory {
  readonly #kept = new Map<string, AdapterPayload>();

  constructor(private readonly clients: ReadonlyMap<string, AdapterPayload>) {}

  adapter(model: string): Adapter {
    const kept = this.#kept;
    const key = (id: string) => `${model}:${id}`;
    const search = (member: 'uid' | 'userCode', value: string) =>
      [...kept].find(([at, payload]) => at.startsWith(`${model}:`) && payload[member] === value)?.[1];
    return {
      upsert: async (id, payload) => void kept.set(key(id), payload),
      find: async (id) => (model === 'Client' ? this.clients.get(id) : kept.get(key(id))),
      findByUid: async (uid) => search('uid', uid),
      findByUserCode: async (code) => search('userCode', code),
      consume: async (id) => {
        const found = kept.get(key(id));
        if (found) found['consumed'] = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void kept.delete(key(id)),
      revokeByGrantId: async (grant) => {
        for (const [at, payload] of kept) if (payload.grantId === grant) kept.delete(at);
      },
    };
  }
}
