import fc from 'fast-check';

/** Something, or undefined. */
export const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** An object without those of its members that are undefined. */
export const without = <T extends object>(made: T) =>
  Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));

/** An object of some members, each left out instead of set to undefined. The caller says what it is. */
export function shape<T>(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<T> {
  return fc.record(members).map((made) => without(made) as T);
}
