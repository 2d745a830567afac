import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Obligation } from '../model.js';
import { joinObligations } from './obligations.js';

const redact = (...fields: string[]) => ({ type: 'redact', fields });
const mask = (...fields: string[]) => ({ type: 'mask', fields });
const paths = (...list: string[]) => ({ type: 'resolve_realpath', paths: list });
const log = (level: string) => ({ type: 'log', level });
const stepUp = (acr: string) => ({ type: 'step-up', acr });
const notify = (to: string) => ({ type: 'notification', to, body: 'used' });

describe('joined obligations', () => {
  it.each<[Obligation[], Obligation[]]>([
    [[], []],
    [[redact('b', 'a')], [redact('b', 'a')]],
    [[redact('b'), redact('a')], [redact('a', 'b')]],
    [[redact('a', 'b'), redact('b', 'c')], [redact('a', 'b', 'c')]],
    [
      [redact('a'), mask('a')],
      [mask('a'), redact('a')],
    ],
    [[mask('b'), mask('a'), mask('b')], [mask('a', 'b')]],
    [[paths('/b'), paths('/a')], [paths('/a', '/b')]],
    [[log('metadata'), log('full')], [log('full')]],
    [[log('full'), log('metadata')], [log('full')]],
    [[log('metadata'), log('metadata')], [log('metadata')]],
    [[log('metadata'), log('metadata'), log('full'), log('metadata')], [log('full')]],
    [[stepUp('gold'), stepUp('gold')], [stepUp('gold')]],
    [[notify('ann'), notify('ann')], [notify('ann')]],
    [
      [notify('bob'), notify('ann')],
      [notify('ann'), notify('bob')],
    ],
    [
      [stepUp('gold'), redact('a'), log('full')],
      [log('full'), redact('a'), stepUp('gold')],
    ],
  ])('of %j are %j', (all, obligations) => {
    expect(joinObligations(all)).toEqual({ obligations });
  });

  it.each<[Obligation[]]>([
    [[stepUp('gold'), stepUp('silver')]],
    [[stepUp('gold'), redact('a'), stepUp('gold'), stepUp('silver')]],
  ])('of %j contradict each other', (all) => {
    expect(joinObligations(all)).toEqual({ conflict: 'step-up' });
  });

  const any = fc.array(
    fc.constantFrom<Obligation>(
      redact('a'),
      redact('b', 'c'),
      mask('a'),
      log('full'),
      log('metadata'),
      stepUp('gold'),
      stepUp('x'),
      notify('a'),
    ),
    { maxLength: 6 },
  );

  it('do not depend on the order', () => {
    fc.assert(
      fc.property(any, fc.nat(), (all, turn) => {
        const turned = [...all.slice(turn % (all.length + 1)), ...all.slice(0, turn % (all.length + 1))].reverse();
        expect(joinObligations(turned)).toEqual(joinObligations(all));
      }),
    );
  });

  it('hold whatever each of them says', () => {
    fc.assert(
      fc.property(any, (all) => {
        const joined = joinObligations(all);
        if ('conflict' in joined) return;
        for (const one of all) {
          const kept = joined.obligations.filter(({ type }) => type === one.type);
          if (Array.isArray(one.fields))
            expect(kept[0]?.fields).toEqual(expect.arrayContaining(one.fields as string[]));
          else if (one.type === 'log') expect(['full', one.level]).toContain(kept[0]?.level);
          else expect(kept).toContainEqual(one);
        }
      }),
    );
  });
});
