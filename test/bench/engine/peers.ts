import { requirePeer } from '../peers.js';

/** One decision by a peer, on the rules of `plain`. True for allow. */
export type PeerDecision = (index: number) => boolean;

const ROLES = 50;
const PEOPLE = 200;

interface Casbin {
  readonly newModelFromString: (text: string) => object;
  StringAdapter: new (text: string) => object;
  readonly newEnforcer: (model: object, adapter: object) => Promise<{ enforceSync(...request: string[]): boolean }>;
}

/** casbin, with the model of its own RBAC benchmark. */
export async function casbin(rules: number): Promise<PeerDecision> {
  const { newModelFromString, StringAdapter, newEnforcer } = requirePeer<Casbin>('casbin');
  const model = newModelFromString(`
    [request_definition]
    r = sub, obj, act
    [policy_definition]
    p = sub, obj, act
    [role_definition]
    g = _, _
    [policy_effect]
    e = some(where (p.eft == allow))
    [matchers]
    m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act`);
  const tools = Math.ceil(rules / ROLES);
  const lines = Array.from(
    { length: tools * ROLES },
    (_, at) => `p, role${at % ROLES}, tool${Math.floor(at / ROLES)}, call`,
  );
  for (let user = 0; user < PEOPLE; user++) lines.push(`g, u${user}, role${user % ROLES}`);
  const enforcer = await newEnforcer(model, new StringAdapter(lines.join('\n')));
  return (index) => enforcer.enforceSync(`u${index % PEOPLE}`, `tool${(index * 31) % tools}`, 'call');
}

interface Cedar {
  readonly preparsePolicySet: (id: string, policies: { staticPolicies: string }) => { type: string };
  readonly statefulIsAuthorized: (call: object) => { type: string; response?: { decision: string } };
}

/** Cedar as WebAssembly, with the policies parsed beforehand. */
export function cedar(rules: number): PeerDecision {
  const { preparsePolicySet, statefulIsAuthorized } = requirePeer<Cedar>('@cedar-policy/cedar-wasm/nodejs');
  const tools = Math.ceil(rules / ROLES);
  const policies = Array.from(
    { length: tools * ROLES },
    (_, at) =>
      `permit(principal in Role::"role${at % ROLES}", action == Action::"call", resource == Tool::"tool${Math.floor(at / ROLES)}");`,
  );
  const parsed = preparsePolicySet('bench', { staticPolicies: policies.join('\n') });
  if (parsed.type !== 'success') throw new Error('cedar did not take the policies');
  return (index) => {
    const user = { type: 'User', id: `u${index % PEOPLE}` };
    const role = { type: 'Role', id: `role${(index % PEOPLE) % ROLES}` };
    const answer = statefulIsAuthorized({
      principal: user,
      action: { type: 'Action', id: 'call' },
      resource: { type: 'Tool', id: `tool${(index * 31) % tools}` },
      context: {},
      entities: [
        { uid: user, attrs: {}, parents: [role] },
        { uid: role, attrs: {}, parents: [] },
      ],
      preparsedPolicySetId: 'bench',
      validateRequest: false,
    });
    return answer.response?.decision === 'allow';
  };
}
