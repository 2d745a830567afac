import { describe, expect, it } from 'vitest';
import { TenantNames } from './tenant-names.js';

/** A register of one tenant that counts how often it is asked. */
function register() {
  const asked: string[] = [];
  const tenantNamed = async (name: string) => {
    asked.push(name);
    return name === 'acme' ? 'the-id' : undefined;
  };
  return { asked, names: new TenantNames({ tenantNamed }) };
}

describe('the name of a tenant in a path', () => {
  it('is looked up once, also by many at the same time', async () => {
    const { asked, names } = register();
    const found = await Promise.all(Array.from({ length: 50 }, () => names.idOf('acme')));
    expect(new Set(found)).toEqual(new Set(['the-id']));
    await names.idOf('acme');
    expect(asked).toEqual(['acme']);
    names.forget('the-id');
    await names.idOf('acme');
    expect(asked).toEqual(['acme', 'acme']);
  });

  it('that nobody has is remembered as such', async () => {
    const { asked, names } = register();
    for (let time = 0; time < 3; time++) expect(await names.idOf('nobody')).toBeUndefined();
    expect(asked).toEqual(['nobody']);
  });

  it.each(['', 'Acme', 'acme ', '../acme', 'acme%00', 'a'.repeat(41), "acme' or true", '__proto__', 'acme\n'])(
    'is not looked up where it is none: %j',
    async (name) => {
      const { asked, names } = register();
      expect(await names.idOf(name)).toBeUndefined();
      expect(asked).toEqual([]);
    },
  );
});
