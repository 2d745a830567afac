/**
 * The same company for both: per tool a policy with two rules, an allow for one role under a condition on the region, and a
 * deny for amounts over a limit. Requests are a mix of what is allowed and what is not.
 */
export const ROLES = 20;
export const PEOPLE = 100;
const REGIONS = 5;

export const roleOf = (tool: number): string => `role${tool % ROLES}`;
export const limitOf = (tool: number): number => 1000 + (tool % 97);

/** One question in neutral words; both services are asked the same ones. */
export interface Ask {
  readonly person: number;
  readonly tool: number;
  readonly region: string;
  readonly amount: number;
}

export const regionOf = (person: number): string => `r${person % REGIONS}`;

export function asks(tools: number, count = 500): Ask[] {
  return Array.from({ length: count }, (_, at) => {
    const person = at % PEOPLE;
    // Half of the time a tool for which the person has the role.
    const tool =
      at % 2 === 0
        ? (person % ROLES) + ROLES * ((at * 37) % Math.max(1, Math.floor(tools / ROLES)))
        : (at * 7919) % tools;
    return {
      person,
      tool: tool % tools,
      region: `r${(person + (at % 3 === 0 ? 1 : 0)) % REGIONS}`,
      amount: at % 11 === 0 ? 5000 : 10,
    };
  });
}

/** What the rules say, told apart from either engine. */
export function expected({ person, tool, region, amount }: Ask): boolean {
  return roleOf(tool) === `role${person % ROLES}` && region === regionOf(person) && amount <= limitOf(tool);
}
