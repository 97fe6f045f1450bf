import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { contentIndex } from '../../../src/store/format/content-index.ts';
import { knownRows } from '../../../src/store/write/known-rows.ts';
import { rowTargets } from '../../../src/store/read/digests/row-targets.ts';
import { sha256Of } from '../../support/stored-rows.ts';

const digest = fc.integer({ min: 0, max: 400 }).map((i) => sha256Of(`content ${i}`));
/** Digests that share their first words, so that they meet in the table. */
const crowded = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 }))
  .map(([head, tail]) => `${'0'.repeat(15)}${head}${sha256Of(String(tail)).slice(16)}`);

describe('an index of contents', () => {
  it('numbers contents as a Map does, however often they come and however many they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(digest, crowded), { maxLength: 600 }), (digests) => {
        const index = contentIndex();
        const expected = new Map<string, number>();
        for (const one of digests) {
          expect(index.find(one)).toBe(expected.get(one) ?? -1);
          if (!expected.has(one)) expected.set(one, expected.size);
          expect(index.add(one)).toBe(expected.get(one));
        }
        expect(index.size).toBe(expected.size);
        for (const [one, number] of expected) {
          expect([index.find(one), index.digestOf(number)]).toEqual([number, one]);
          expect(index.digestOf(index.findId(one.slice(0, 16))).slice(0, 16)).toBe(one.slice(0, 16));
        }
      }),
    );
  });

  it.each(['', 'abc', 'x'.repeat(64), `${'0'.repeat(63)}g`, 'f'.repeat(66)])(
    'refuses %j, which is no SHA-256',
    (text) => {
      expect(() => contentIndex().add(text)).toThrow(PermafrostError);
    },
  );
});

describe('known rows', () => {
  it('give back the facts of each content, the last ones that were told', () => {
    const known = knownRows();
    const facts = Array.from({ length: 500 }, (_, i) => ({
      sha256: sha256Of(String(i % 400)),
      width: i,
      height: 2 ** 32 - 1 - i,
      orientation: 1 + (i % 8),
    }));
    for (const one of facts) known.add(one);
    expect(known.size).toBe(400);
    for (const [i, one] of facts.slice(100).entries()) expect([i, known.factsOf(one.sha256)]).toEqual([i, one]);
    expect(known.find(sha256Of('another'))).toBe(-1);
  });
});

describe('targets of rows', () => {
  it('are met once each, at every place that wants the content', () => {
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 300 }), fc.array(digest, { maxLength: 300 }), (wanted, given) => {
        const targets = rowTargets(wanted);
        const got = new Map<number, string>();
        for (const one of given) {
          targets.meet(one, (place) => {
            expect(got.has(place)).toBe(false);
            got.set(place, one);
          });
        }
        const held = new Set(given);
        const expected = wanted.flatMap((one, place) => (held.has(one) ? [[place, one] as const] : []));
        expect([...got].sort(([a], [b]) => a - b)).toEqual(expected);
        expect(targets.missing).toBe(new Set(wanted.filter((one) => !held.has(one))).size);
      }),
    );
  });
});
