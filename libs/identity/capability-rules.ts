import { packRules } from '@casl/ability/extra';

/** Something that can be done to one thing. */
export interface Capability {
  readonly action: string;
  readonly type: string;
  readonly id: string;
  /** Null: it belongs to none. */
  readonly server: string | null;
}

/**
 * Capabilities as packed rules of CASL, for `unpackRules`: the type is the subject, and `server` and `id` are conditions.
 *
 * INVARIANT: the rules allow nothing that is not among the capabilities. `manage` and `all` mean everything to CASL, and a
 * comma in a name would come apart into two names: what is called so is left out.
 */
export function capabilityRules(capabilities: Iterable<Capability>): unknown[][] {
  const rules = new Map<string, Omit<Capability, 'id'> & { readonly ids: string[] }>();
  for (const { id, ...rest } of capabilities) {
    if (!isPlain(rest.action, 'manage') || !isPlain(rest.type, 'all')) continue;
    const key = JSON.stringify([rest.action, rest.type, rest.server]);
    const rule = rules.get(key) ?? { ...rest, ids: [] };
    rule.ids.push(id);
    rules.set(key, rule);
  }
  return packRules(
    [...rules.values()].map(({ action, type, server, ids }) => ({
      action,
      subject: type,
      conditions: { ...(server === null ? {} : { server: { $eq: server } }), id: { $in: ids } },
    })),
  ).map((rule) => [...rule]);
}

const isPlain = (name: string, everything: string): boolean =>
  name !== '' && name !== everything && !name.includes(',');
