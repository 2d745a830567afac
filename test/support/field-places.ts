/**
 * What a dotted place means: whether some of them cover a leaf, which is named by the names on the way to it. Policies and
 * clients read places each by a matcher of its own; both are held against this table.
 */
export const FIELD_PLACES: readonly (readonly [places: string[], leaf: string[], covered: boolean])[] = [
  [['ssn'], ['ssn'], true],
  [['ssn'], ['name'], false],
  [['ssn'], ['SSN'], false],
  [['ssn'], ['ssn2'], false],
  [['ssn'], ['xssn'], false],
  [['ssn'], ['person', 'ssn'], false],
  [['person.ssn'], ['person', 'ssn'], true],
  [['person.ssn'], ['ssn'], false],
  [['person.ssn'], ['person'], false],
  [['person.ssn'], ['person', 'ssn', 'last4'], true],
  [['person'], ['person', 'ssn'], true],
  [['*'], ['person', 'ssn'], true],
  [['*'], ['ssn'], true],
  [['*'], [''], true],
  [['payment.*'], ['payment', 'card'], true],
  [['payment.*'], ['payment', 'card', 'number'], true],
  [['payment.*'], ['payment'], false],
  [['payment.*'], ['payments', 'card'], false],
  [['*.card'], ['payment', 'card'], true],
  [['*.card'], ['card'], false],
  [['*.card'], ['a', 'b', 'card'], false],
  [['*.*.card'], ['a', 'b', 'card'], true],
  [['card_*'], ['card_number'], true],
  [['card_*'], ['card_'], true],
  [['card_*'], ['card'], false],
  [['*_id'], ['user_id'], true],
  [['*_id'], ['user_id2'], false],
  [['a*b*c'], ['abc'], true],
  [['a*b*c'], ['a1b2c'], true],
  [['a*b*c'], ['acb'], false],
  [['a*a'], ['a'], false],
  [['a*ab'], ['ab'], false],
  [['a.**.c'], ['a', 'b', 'c'], true],
  [['name', 'ssn'], ['ssn'], true],
  [['name', 'ssn'], ['other'], false],
  [['name.first', 'name.last'], ['name', 'last'], true],
  [['name.first', 'name.last'], ['name', 'middle'], false],
  [['a.b', 'c.d'], ['a', 'd'], false],
  [['toString'], ['toString'], true],
  [['constructor'], ['name'], false],
  [['__proto__'], ['__proto__'], true],
  [['x'], ['__proto__'], false],
  [['é'], ['é'], true],
];

/** An object with one leaf. */
export const objectWith = (names: readonly string[], leaf: unknown = 1): Record<string, unknown> =>
  names.reduceRight<unknown>((value, name) => Object.fromEntries([[name, value]]), leaf) as Record<string, unknown>;
