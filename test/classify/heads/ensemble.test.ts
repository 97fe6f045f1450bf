import { describe, expect, it } from 'vitest';
import { createHead, loadHead } from '../../../src/classify/heads/index.ts';
import { ensembleWeights } from '../../../src/classify/heads/ensemble/weights.ts';
import { logLoss } from '../../../src/classify/evaluate/metrics.ts';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { blobs, expectCode, throughFile } from './head-contract.ts';

/** Two classes; the first column says which to one part of the rows, the distance to 0 to the others. */
function twoWays(n: number, seed: number): { X: Matrix; y: string[] } {
  const source = random(seed);
  const X = matrix(n, 3);
  const y = Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 'a' : 'b'));
  for (let i = 0; i < n; i++) {
    const sign = i % 2 === 0 ? 1 : -1;
    X.data.set([sign + source.normal() * 1.2, source.normal() * (sign > 0 ? 0.5 : 2), source.normal()], i * 3);
  }
  return { X, y };
}

describe('the weights of an ensemble', () => {
  it('are no worse than the best member, and all with a member that is always right', () => {
    const source = random(4);
    const truth = Int32Array.from({ length: 60 }, (_, i) => i % 3);
    const answer = (sureness: number): Matrix => {
      const P = matrix(60, 3);
      for (let i = 0; i < 60; i++) {
        const e = [0, 1, 2].map((c) => Math.exp(sureness * Number(c === truth[i]) + source.normal()));
        const all = e[0]! + e[1]! + e[2]!;
        P.data.set(
          e.map((v) => v / all),
          i * 3,
        );
      }
      return P;
    };
    const answers = [answer(1), answer(1), answer(1)];
    const weights = ensembleWeights(truth, answers);
    expect(weights.reduce((sum, w) => sum + w, 0)).toBeCloseTo(1, 12);
    const mean = {
      ...answers[0]!,
      data: answers[0]!.data.map((_, at) => answers.reduce((s, { data }, m) => s + weights[m]! * data[at]!, 0)),
    };
    expect(logLoss(truth, mean)).toBeLessThan(Math.min(...answers.map((P) => logLoss(truth, P))) - 0.02);
    expect(ensembleWeights(truth, [answers[0]!, answer(40)])).toEqual([0, 1]);
  });
});

describe('the head ensemble', () => {
  it('is better on other rows than its members are, where each sees what the other does not', async () => {
    const members = ['logistic', 'knn nNeighbors=15'];
    const [train, other] = [twoWays(300, 1), twoWays(600, 2)];
    const truth = Int32Array.from(other.y, (label) => Number(label === 'b'));
    const lossOf = async (head: Awaited<ReturnType<ReturnType<typeof createHead>['fit']>>) =>
      logLoss(truth, await head.predictProba(other.X));
    const whole = await createHead('ensemble', { members: members.join('; ') }).fit(matrixRows(train.X), train.y);
    const alone = await createHead('logistic').fit(matrixRows(train.X), train.y);
    expect(await lossOf(whole)).toBeLessThan(await lossOf(alone));
    expect(whole.notes.at(-1)).toMatch(/^votes: logistic 0\.\d\d, knn 0\.\d\d$/);
  });

  it('leaves out a member that cannot be fitted, and says so', async () => {
    const { X, y } = blobs(['a', 'b'], 5, 4);
    const head = await createHead('ensemble', { members: 'centroid; logistic; knn nNeighbors=10' }).fit(
      matrixRows(X),
      y,
    );
    expect(head.notes[0]).toMatch(/^knn is left out: nNeighbors is 10/);
    await expectCode(
      createHead('ensemble', { members: 'knn nNeighbors=99; knn nNeighbors=50' }).fit(matrixRows(X), y),
      'FIT_INVALID',
      /No member could be fitted: .*nNeighbors is 99/,
    );
  });

  it('gives all members the same weight where no row can be held out', async () => {
    const { X, y } = blobs(['a', 'b'], 1, 4);
    const { notes } = await createHead('ensemble', { members: 'centroid; logistic' }).fit(matrixRows(X), y);
    expect(notes.join('; ')).toMatch(/no row could be held out: .*; votes: centroid 0.50, logistic 0.50/);
  });

  it('judges the views of an image in one fold', async () => {
    // Each image has a copy: with the copy in training, the nearest neighbour alone would have all votes.
    const { X, y } = twoWays(80, 3);
    const twice = matrix(160, 3);
    twice.data.set(X.data);
    twice.data.set(X.data, X.data.length);
    const images = Int32Array.from({ length: 160 }, (_, i) => i % 80);
    const members = { members: 'knn nNeighbors=1; logistic' };
    const head = await createHead('ensemble', members).fit(matrixRows(twice), [...y, ...y], { images });
    const vote = /logistic (\d\.\d\d)/.exec(head.notes.at(-1)!)?.[1];
    expect(Number(vote)).toBeGreaterThan(0.5);
  });

  it.each([
    ['logistic', /found 1, an ensemble needs two members or more/],
    ['logistic; ensemble', /no member of an ensemble/],
    ['logistic; knn 5', /"5" of "knn 5" is no option/],
    ['logistic; knnn', /did you mean "knn"/],
    ['logistic; knn nNeighbors=0', /nNeighbors/],
    ['', /"ensemble"|no head ""/],
  ])('refuses the members %j', (members, words) => {
    expect(() => createHead('ensemble', { members })).toThrow(words);
  });

  it('refuses a stored ensemble whose members do not fit together', async () => {
    const { X, y } = blobs(['a', 'b'], 8, 4);
    const head = await createHead('ensemble', { members: 'centroid; logistic' }).fit(matrixRows(X), y);
    const { json, tensors } = throughFile(head.state);
    const members = json.members as { name: string; weight: number; head: { classes: string[] } }[];
    const load = (other: unknown) => loadHead('ensemble', { json: { ...json, members: other }, tensors });
    await expectCode(load([]), 'HEAD_CORRUPT', /lacks its members/);
    await expectCode(load([{ ...members[0], weight: -1 }]), 'HEAD_CORRUPT', /lacks its members/);
    await expectCode(load([{ ...members[0], name: 'ensemble' }]), 'HEAD_CORRUPT', /lacks its members/);
    const other = { ...members[0]!, head: { ...members[0]!.head, classes: ['a', 'c'] } };
    await expectCode(load([other]), 'HEAD_CORRUPT', /other features or classes/);
  });
});
