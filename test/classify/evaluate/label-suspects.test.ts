import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { createHead } from '../../../src/classify/heads/index.ts';
import { countErrors, judgeLabels } from '../../../src/classify/evaluate/label-suspects.ts';

/** Three clouds of `perClass` rows, and their labels, of which those in `swapped` are wrong. */
function clouds(perClass: number, swapped: readonly number[]) {
  const generator = random(5);
  const [n, cols] = [perClass * 3, 8];
  const X = matrix(n, cols);
  const labels = Array.from({ length: n }, (_, i) => `class ${i % 3}`);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < cols; j++) X.data[i * cols + j] = generator.normal() + (j === i % 3 ? 6 : 0);
  for (const i of swapped) labels[i] = `class ${(i + 1) % 3}`;
  return { X, labels, keys: labels.map((_, i) => `${i}.jpg`) };
}

const judge = ({ X, labels, keys }: ReturnType<typeof clouds>, groups = keys) =>
  judgeLabels(createHead('logistic', { C: 1 }), X, labels, {
    normalize: 'none',
    nSplits: 4,
    seed: 1,
    keys,
    groups,
  });

const rank = async (data: ReturnType<typeof clouds>, groups?: string[]) => (await judge(data, groups)).ranked;

describe('suspected label errors', () => {
  it('are as many as were swapped, and none where none was', async () => {
    expect((await judge(clouds(40, [4, 17, 33, 50]))).estimated).toBe(4);
    expect((await judge(clouds(40, []))).estimated).toBe(0);
  });

  it.each([
    [60, 2, 5],
    [90, 3, 2],
    [200, 5, 3],
  ])('of %i rows and %i classes are as many as cleanlab 2.9 counts (num_label_issues)', (n, classes, expected) => {
    const labels = Array.from({ length: n }, (_, i) => (i * 7 + Math.floor(i / 5)) % classes);
    const probabilities = new Map(
      labels.map((label, i) => {
        const weights = Array.from(
          { length: classes },
          (_, c) => ((i * i * 31 + c * c * 17 + i * c * 13 + 5) % 97) + 1 + (c === label && i % 4 !== 0 ? 120 : 0),
        );
        const sum = weights.reduce((total, weight) => total + weight, 0);
        return [i, Float32Array.from(weights, (weight) => weight / sum)] as const;
      }),
    );
    expect(countErrors(probabilities, labels, classes)).toBe(expected);
  });

  it('rank swapped labels before all others and suggest the right one', async () => {
    const swapped = [4, 17, 33, 50];
    const ranked = await rank(clouds(40, swapped));
    expect(ranked).toHaveLength(120);
    const first = ranked.slice(0, swapped.length);
    expect(first.map(({ row }) => row).sort((a, b) => a - b)).toEqual(swapped);
    for (const { row, suggested, label, probability, margin } of first) {
      expect(suggested).toBe(`class ${row % 3}`);
      expect(label).not.toBe(suggested);
      expect(probability).toBeGreaterThan(0.9);
      expect(margin).toBeLessThan(-0.8);
    }
    expect(ranked.slice(swapped.length).every(({ margin }) => margin > 0)).toBe(true);
  });

  it('are not vouched for by their own copies, which lie in the same fold', async () => {
    const data = clouds(30, [7]);
    // Ten copies of the mislabelled row, equally mislabelled: in other folds they would outvote the truth.
    const copies = Array.from({ length: 10 }, (_, i) => 60 + 3 * i + 1);
    for (const at of copies) {
      data.X.data.copyWithin(at * 8, 7 * 8, 8 * 8);
      data.labels[at] = data.labels[7]!;
    }
    const groups = data.keys.map((key, i) => (i === 7 || copies.includes(i) ? 'copies' : key));
    const suspects = async (given?: string[]) =>
      (await rank(data, given)).filter(({ margin }) => margin < 0).map(({ row }) => row);
    const caught = [7, ...copies];
    expect(await suspects(groups)).toEqual(expect.arrayContaining(caught));
    expect((await suspects()).filter((row) => caught.includes(row))).toEqual([]);
  });

  it('says nothing against a class that no head could know', async () => {
    const data = clouds(20, []);
    data.labels[0] = 'alone';
    const found = (await rank(data)).find(({ row }) => row === 0)!;
    expect(found.margin).toBe(0);
  });
});
