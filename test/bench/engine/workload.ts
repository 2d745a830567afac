import { PolicySet, type AnyDocument, type DecisionInput } from '#policy';

/** A set of rules, and requests that between them reach all kinds of places in it. */
export interface Workload {
  readonly documents: readonly AnyDocument[];
  readonly requests: readonly DecisionInput[];
}

const ROLES = 50;
const PEOPLE = 200;
const REQUESTS = 2000;

const host: AnyDocument = { kind: 'Host', name: 'desk' };
const tenant: AnyDocument = { kind: 'Tenant', name: 'default', defaults: { effect: 'deny', hostScope: {} } };

/** Roles, and people who hold one each. */
function people(): AnyDocument[] {
  const roles = Array.from({ length: ROLES }, (_, at): AnyDocument => ({ kind: 'Role', name: `role${at}` }));
  const bindings = Array.from({ length: PEOPLE }, (_, at): AnyDocument => ({
    kind: 'Binding',
    name: `b${at}`,
    subjects: [`user:u${at}`],
    roles: [`role${at % ROLES}`],
  }));
  const subjects = Array.from({ length: PEOPLE }, (_, at): AnyDocument => ({
    kind: 'Subject',
    type: 'user',
    id: `u${at}`,
    groups: [],
    properties: { region: `r${at % 7}` },
  }));
  return [...roles, ...bindings, ...subjects];
}

/** A number below 2^32 that looks drawn, and is the same at every run. */
function drawn(...of: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const part of of) {
    state = Math.imul(state ^ part, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return state >>> 0;
}

/**
 * As a company writes them: ten rules a tool, each for a role that is drawn and with a condition of its own or a shared
 * one. One rule in twenty is by a pattern, for all tools of its server of twenty. So that the same kinds of request come as
 * often however many rules there are: whom rules are for, and whether they apply, does not hang on how many there are.
 * Requests follow a Zipf-like skew: some tools are asked for all the time.
 */
export function skewed(rules: number): Workload {
  const tools = Math.max(1, Math.floor(rules / 10));
  const servers = Math.max(1, Math.floor(tools / 20));
  const policies = Array.from({ length: tools }, (_, tool): AnyDocument => {
    const server = tool % servers;
    const forAll = tool + servers >= tools;
    return {
      kind: 'Policy',
      name: `p${tool}`,
      target: {
        servers: [`server${server}`],
        actions: ['tools/call'],
        resources: [forAll ? `s${server}-*` : `s${server}-tool${tool}`],
      },
      rules: Array.from({ length: 10 }, (_rule, at) => ({
        name: `r${at}`,
        effect: at === 9 ? ('deny' as const) : ('allow' as const),
        to: [`role:role${drawn(tool, at) % ROLES}`],
        // Of the second kind each is another one.
        when:
          at % 2 === 0
            ? 'arguments.region == subject.properties.region'
            : `has(arguments.amount) && arguments.amount * 1000000 < ${(drawn(at, tool) % 50) * 1_000_000 + tool}`,
      })),
    };
  });
  const registered = Array.from({ length: servers }, (_, at): AnyDocument => ({ kind: 'Server', name: `server${at}` }));
  const requests = Array.from({ length: REQUESTS }, (_, at) => {
    const tool = Math.floor(tools ** (drawn(1, at) / 2 ** 32)) % tools;
    const server = tool % servers;
    return request(`u${drawn(2, at) % PEOPLE}`, `server${server}`, `s${server}-tool${tool}`, {
      region: `r${drawn(3, at) % 7}`,
      amount: drawn(4, at) % 50,
    });
  });
  return { documents: [tenant, host, ...people(), ...registered, ...policies], requests };
}

/** The worst that can be published: every rule concerns every request, whoever asks, and has a condition of its own. */
export function wild(rules: number): Workload {
  const policies = Array.from({ length: Math.ceil(rules / 100) }, (_, at): AnyDocument => ({
    kind: 'Policy',
    name: `p${at}`,
    target: { servers: ['*'], actions: ['*'], resources: ['*'] },
    rules: Array.from({ length: Math.min(100, rules - at * 100) }, (_rule, rule) => ({
      name: `r${rule}`,
      effect: rule % 10 === 9 ? ('deny' as const) : ('allow' as const),
      to: ['any'],
      when: `has(arguments.amount) && arguments.amount * 1000000 < ${at * 100 + rule}`,
    })),
  }));
  const requests = Array.from({ length: REQUESTS }, (_, at) =>
    request(`u${drawn(1, at) % PEOPLE}`, 'server', `tool${at}`, { amount: 1 + (drawn(2, at) % 50) }),
  );
  return { documents: [tenant, host, ...people(), { kind: 'Server', name: 'server' }, ...policies], requests };
}

/** The same plain rules as the peers get: a role may call a tool. */
export function plain(rules: number): Workload {
  const policies = Array.from({ length: Math.ceil(rules / ROLES) }, (_, tool): AnyDocument => ({
    kind: 'Policy',
    name: `p${tool}`,
    target: { servers: ['server'], actions: ['call'], resources: [`tool${tool}`] },
    rules: Array.from({ length: ROLES }, (_rule, at) => ({
      name: `r${at}`,
      effect: 'allow' as const,
      to: [`role:role${at}`],
    })),
  }));
  const requests = Array.from({ length: REQUESTS }, (_, at) =>
    request(`u${at % PEOPLE}`, 'server', `tool${(at * 31) % policies.length}`, {}, 'call'),
  );
  return { documents: [tenant, host, ...people(), { kind: 'Server', name: 'server' }, ...policies], requests };
}

function request(
  user: string,
  server: string,
  tool: string,
  given: DecisionInput['arguments'],
  action = 'tools/call',
): DecisionInput {
  return {
    subject: { type: 'user', id: user, properties: {}, assurance: 'asserted' },
    agent: 'desk',
    action,
    resource: { type: 'tool', id: tool, properties: {} },
    server: { name: server },
    arguments: given,
    operation: null,
    session: null,
    context: {},
    kind: 'ordinary',
  };
}

export const compiled = ({ documents }: Workload): PolicySet =>
  PolicySet.of(documents.map((document) => ({ document, version: 1 })));
