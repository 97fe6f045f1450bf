import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { random } from '../../../src/core/random.ts';
import { stratifiedKFold, stratifiedSplit } from '../../../src/classify/evaluate/split.ts';

/** Labels of one to six classes of any size, a distinct key each, and a seed. */
const dataset = fc
  .record({
    sizes: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 }),
  })
  .map(({ sizes, seed }) => {
    const labels = random(seed).shuffle(sizes.flatMap((size, c) => Array<string>(size).fill(`class ${c}`)));
    return { labels, keys: labels.map((label, i) => `${label}/${i}.jpg`), seed };
  });

const counts = (labels: readonly string[], rows: readonly number[]) => {
  const found = new Map<string, number>();
  for (const at of rows) found.set(labels[at]!, (found.get(labels[at]!) ?? 0) + 1);
  return found;
};
const every = (labels: readonly string[]) => labels.map((_, at) => at);
const ascending = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);

describe('a stratified split', () => {
  it('is disjoint, complete and stratified', () => {
    fc.assert(
      fc.property(dataset, fc.double({ min: 0.05, max: 0.95, noNaN: true }), ({ labels, keys, seed }, valFraction) => {
        const { train, val } = stratifiedSplit(labels, { keys, valFraction, seed });
        expect(ascending([...train, ...val])).toEqual(every(labels));
        const [all, held] = [counts(labels, every(labels)), counts(labels, val)];
        for (const [label, size] of all) {
          const wanted = Math.min(size - 1, Math.max(1, Math.round(size * valFraction)));
          expect(held.get(label) ?? 0).toBe(size === 1 ? 0 : wanted);
        }
      }),
    );
  });

  it('does not depend on the order of the rows', () => {
    fc.assert(
      fc.property(dataset, ({ labels, keys, seed }) => {
        const options = { valFraction: 0.3, seed };
        const here = stratifiedSplit(labels, { keys, ...options }).val.map((at) => keys[at]);
        const order = random(seed + 1).shuffle(every(labels));
        const moved = order.map((at) => keys[at]!);
        const there = stratifiedSplit(
          order.map((at) => labels[at]!),
          { keys: moved, ...options },
        ).val.map((at) => moved[at]);
        expect(there.sort()).toEqual(here.sort());
      }),
    );
  });

  it('leaves a class alone when another one changes', () => {
    const labels = [...Array<string>(20).fill('a'), ...Array<string>(20).fill('b')];
    const keys = labels.map((label, i) => `${label}/${i}`);
    const options = { valFraction: 0.25, seed: 3 };
    const both = stratifiedSplit(labels, { keys, ...options }).val.filter((at) => at < 20);
    const fewer = stratifiedSplit(labels.slice(0, 33), { keys: keys.slice(0, 33), ...options }).val;
    expect(fewer.filter((at) => at < 20)).toEqual(both);
  });

  it('is another one for another seed', () => {
    const labels = Array<string>(40).fill('a');
    const keys = labels.map((_, i) => String(i));
    const val = (seed: number) => stratifiedSplit(labels, { keys, valFraction: 0.25, seed }).val;
    expect(val(1)).toEqual(val(1));
    expect(val(1)).not.toEqual(val(2));
  });

  it('rejects fractions outside (0, 1), and keys that are missing or not distinct', () => {
    const split = (keys: string[], valFraction: number) => () =>
      stratifiedSplit(['a', 'a', 'b'], { keys, valFraction, seed: 1 });
    for (const fraction of [0, 1, -0.5, NaN]) {
      expect(split(['1', '2', '3'], fraction)).toThrow(/valFraction must lie between 0 and 1/);
    }
    expect(split(['1', '2'], 0.5)).toThrow(/3 labels and 2 keys/);
    expect(split(['1', '2', '1'], 0.5)).toThrow(PermafrostError);
  });
});

describe('stratified folds', () => {
  it('validate every row once, each class and each fold evenly', () => {
    fc.assert(
      fc.property(dataset, fc.integer({ min: 2, max: 8 }), ({ labels, keys, seed }, nSplits) => {
        fc.pre(nSplits <= labels.length);
        const folds = stratifiedKFold(labels, { keys, nSplits, seed });
        expect(folds.length).toBe(nSplits);
        expect(ascending(folds.flatMap(({ val }) => val))).toEqual(every(labels));
        for (const { train, val } of folds) expect(ascending([...train, ...val])).toEqual(every(labels));
        const spread = (sizes: number[]) => Math.max(...sizes) - Math.min(...sizes);
        expect(spread(folds.map(({ val }) => val.length))).toBeLessThanOrEqual(1);
        for (const label of new Set(labels)) {
          expect(spread(folds.map(({ val }) => counts(labels, val).get(label) ?? 0))).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('need as many rows as folds', () => {
    const fold = (nSplits: number) => () =>
      stratifiedKFold(['a', 'b', 'a'], { keys: ['1', '2', '3'], nSplits, seed: 1 });
    for (const nSplits of [1, 4, 2.5]) expect(fold(nSplits)).toThrow(/from 2 to the number of rows, 3/);
    expect(fold(3)().map(({ val }) => val.length)).toEqual([1, 1, 1]);
  });
});

describe('folds with groups', () => {
  it('keep each group in one fold, and are disjoint and complete', () => {
    fc.assert(
      fc.property(dataset, fc.integer({ min: 2, max: 5 }), ({ labels, keys, seed }, nSplits) => {
        fc.pre(labels.length >= nSplits);
        const generator = random(seed + 7);
        const groups = labels.map(() => `group ${generator.below(Math.ceil(labels.length / 2))}`);
        const folds = stratifiedKFold(labels, { keys, nSplits, seed, groups });
        expect(ascending(folds.flatMap(({ val }) => val))).toEqual(every(labels));
        const foldsOf = new Map<string, Set<number>>();
        folds.forEach(({ val }, fold) => {
          for (const at of val) {
            const group = groups[at]!;
            foldsOf.set(group, (foldsOf.get(group) ?? new Set()).add(fold));
          }
        });
        for (const found of foldsOf.values()) expect(found.size).toBe(1);
      }),
    );
  });

  it('of one row each are those without groups', () => {
    fc.assert(
      fc.property(dataset, ({ labels, keys, seed }) => {
        fc.pre(labels.length >= 3);
        const options = { keys, nSplits: 3, seed };
        expect(stratifiedKFold(labels, { ...options, groups: keys })).toEqual(stratifiedKFold(labels, options));
      }),
    );
  });
});
