import { describe, expect, it } from 'vitest';
import { createHead, type HeadName } from '../../../src/classify/heads/index.ts';
import { applyNormalizer, fitNormalizer } from '../../../src/classify/normalize.ts';
import { chooseReject, type RejectChoice, type RejectTask } from '../../../src/classify/novelty/choose-reject.ts';
import { outOfFold, trainingFolds } from '../../../src/classify/out-of-fold/out-of-fold.ts';
import { refitsOf } from '../../../src/classify/out-of-fold/refits.ts';
import { detectUnknown, loadReject, rejectState } from '../../../src/classify/novelty/reject.ts';
import {
  MEASURES,
  referenceOf,
  noveltyScores,
  noveltyScoresByMeasure,
  rowsOf,
} from '../../../src/classify/novelty/novelty-score.ts';
import { matrix, row, type Matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { blobs, throughFile } from '../heads/head-contract.ts';

const CLASSES = ['ant', 'bee', 'cat', 'dog'];

interface Given extends Partial<RejectTask> {
  readonly groups?: readonly string[];
}

async function choice(name: HeadName, { X, y }: { X: Matrix; y: readonly string[] }, given: Given = {}) {
  const keys = y.map((_, i) => String(i).padStart(4, '0'));
  const { groups = keys, ...task } = { rate: 0.05, seed: 1, ...given };
  const refits = await refitsOf(createHead(name), { X, labels: y, normalize: 'l2' });
  const head = await refits.whole();
  const { normalized } = refits;
  const folds = trainingFolds(y, { keys, groups, seed: 1 });
  if (folds.length === 0) return { head, normalized, chosen: { reason: 'no folds' } };
  return { head, normalized, chosen: await chooseReject(head, refits, await outOfFold(refits, folds), task) };
}

const isRule = (chosen: Awaited<ReturnType<typeof chooseReject>>): chosen is RejectChoice => 'reject' in chosen;

/** Rows far from all blobs: their two halves are exchanged. */
function strangers(X: Matrix): Matrix {
  const out = matrix(X.rows, X.cols);
  const source = random(9);
  for (let at = 0; at < out.data.length; at++) out.data[at] = Math.abs(source.normal());
  return out;
}

describe('the rule for unknown', () => {
  const data = blobs(CLASSES, 30, 20);

  it('takes the energy of a head with logits, tells every measure, and how each class left out fares', async () => {
    const { chosen } = await choice('logistic', data);
    if (!isRule(chosen)) throw new Error(chosen.reason);
    expect(chosen.reject.measure).toBe('energy');
    expect(chosen.measures.map(({ measure }) => measure)).toEqual([...MEASURES]);
    expect(chosen.leftOut.map(({ label }) => label)).toEqual(CLASSES);
    const { auroc: told } = chosen.measures.find(({ measure }) => measure === 'energy')!;
    expect(chosen.leftOut.reduce((sum, { auroc }) => sum + auroc / CLASSES.length, 0)).toBeCloseTo(told, 12);
    expect(chosen.calibratedOn).toBe(120);
  });

  it('calls strangers unknown and hardly any known row', async () => {
    const { chosen, head, normalized } = await choice('logistic', data);
    if (!isRule(chosen)) throw new Error(chosen.reason);
    const share = (unknown: readonly boolean[]): number => unknown.filter(Boolean).length / unknown.length;
    const odd = strangers(data.X);
    const found = await detectUnknown(
      chosen.reject,
      head,
      applyNormalizer(await fitNormalizer('l2', matrixRows(odd)), odd),
    );
    expect(share(found.unknown)).toBeGreaterThan(0.9);
    expect(share((await detectUnknown(chosen.reject, head, normalized)).unknown)).toBeLessThanOrEqual(0.05);
  });

  it('is calibrated on rows out of fold: judged on the rows that it was fitted on, half of them would pass for less', async () => {
    const wide = blobs(['ant', 'bee'], 20, 300, 5);
    const { chosen, head, normalized } = await choice('logistic', wide);
    if (!isRule(chosen)) throw new Error(chosen.reason);
    // A row's own part in the mean of its class draws it nearer: in-fold, the threshold would be lower.
    const { measure, threshold, reference } = chosen.reject;
    const inFold = await noveltyScores(measure, head, normalized, reference);
    expect(threshold).toBeGreaterThan(Math.max(...inFold));
  });

  it('measures the same by all measures at once as by each', async () => {
    const { X, y } = blobs(CLASSES, 2, 20);
    const head = await createHead('logistic').fit(matrixRows(X), y);
    const queries = strangers(matrix(7, 20));
    const all = await noveltyScoresByMeasure(MEASURES, head, queries, rowsOf(X, y));
    for (const measure of MEASURES) {
      const alone = await noveltyScores(measure, head, queries, referenceOf(measure, rowsOf(X, y)));
      expect([...all.get(measure)!]).toEqual([...alone]);
    }
    const none = await noveltyScoresByMeasure(MEASURES, head, matrix(0, 20), rowsOf(X, y));
    expect([...none.values()].map(({ length }) => length)).toEqual([0, 0, 0, 0, 0]);
  });

  it('keeps copies of one picture in one fold: apart, each copy would pass for known by the other', async () => {
    // Noise, in which no class can be told: only a copy is near.
    const noise = strangers(matrix(48, 20));
    const twice = { X: matrix(96, 20), y: Array.from({ length: 96 }, (_, i) => CLASSES[i % 4]!) };
    twice.X.data.set(noise.data);
    twice.X.data.set(noise.data, noise.data.length);
    const aurocOf = async (groups?: readonly string[]): Promise<number> => {
      const { chosen } = await choice('centroid', twice, groups && { groups });
      if (!isRule(chosen)) throw new Error(chosen.reason);
      return chosen.measures.find(({ measure }) => measure === 'first-neighbor')!.auroc;
    };
    expect(await aurocOf()).toBeGreaterThan(0.8);
    expect(await aurocOf(twice.y.map((_, i) => String(i % 48)))).toBeLessThan(0.7);
  });

  it('of two classes is the default one, and no class is left out', async () => {
    const { chosen } = await choice('logistic', blobs(['ant', 'bee'], 30, 20));
    if (!isRule(chosen)) throw new Error(chosen.reason);
    expect(chosen.reject.measure).toBe('mean-distance');
    expect(chosen).toMatchObject({ measures: [], leftOut: [] });
  });

  it('has no energy for heads without logits, and of votes, which have few values, no top probability', async () => {
    for (const [name, missing] of [
      ['centroid', ['energy']],
      ['knn', ['energy', 'top-probability']],
    ] as const) {
      const { chosen } = await choice(name, blobs(CLASSES, 30, 20, 1));
      if (!isRule(chosen)) throw new Error(chosen.reason);
      const tried: readonly string[] = chosen.measures.map(({ measure }) => measure);
      expect(tried).toContain('mean-distance');
      for (const measure of missing) expect(tried).not.toContain(measure);
    }
  });

  it('leaves out ten classes of more, drawn by the seed', async () => {
    const many = blobs(
      Array.from({ length: 14 }, (_, i) => `class ${i}`),
      6,
      20,
    );
    const drawn = async (seed: number): Promise<readonly string[]> => {
      const { chosen } = await choice('centroid', many, { seed });
      if (!isRule(chosen)) throw new Error(chosen.reason);
      return chosen.leftOut.map(({ label }) => label);
    };
    expect(await drawn(1)).toHaveLength(10);
    expect(await drawn(2)).not.toEqual(await drawn(1));
  });

  it('is the same for the same input and seed', async () => {
    const [a, b] = [await choice('mlp', data), await choice('mlp', data)];
    expect(a.chosen).toEqual(b.chosen);
  });

  it('cannot be for too few rows, and says why', async () => {
    const { chosen } = await choice('logistic', blobs(CLASSES, 4, 20));
    expect('reason' in chosen && chosen.reason).toMatch(
      /^16 training images could be judged .*; 19 are needed to promise 5 %/,
    );
  });

  it('is not calibrated on the only row of a class: without it no head knows the class', async () => {
    const { chosen } = await choice('logistic', { X: data.X, y: data.y.map((_, i) => (i === 0 ? 'bee' : 'ant')) });
    if (!isRule(chosen)) throw new Error(chosen.reason);
    expect(chosen.calibratedOn).toBe(119);
  });

  it.each(['logistic', 'mlp', 'knn'] as const)(
    'of a %s comes back from its state and judges the same',
    async (name) => {
      const { head, normalized } = await choice(name, data);
      const odd = strangers(data.X);
      for (const measure of MEASURES) {
        if (measure === 'energy' && head.logits === undefined) continue;
        const reference = referenceOf(measure, rowsOf(normalized, data.y));
        const reject = { measure, threshold: 0.123456789, rate: 0.05, reference };
        const back = loadReject(throughFile(rejectState(reject, head.state)), head);
        expect(back).toEqual(reject);
        expect(await detectUnknown(back, head, odd)).toEqual(await detectUnknown(reject, head, odd));
      }
    },
  );

  it('of a knn keeps no second copy of its rows', async () => {
    const { head, normalized } = await choice('knn', data);
    const reject = { measure: 'first-neighbor', threshold: 1, rate: 0.05, reference: normalized } as const;
    expect(rejectState(reject, head.state).tensors.size).toBe(0);
    const { head: other } = await choice('logistic', data);
    expect(rejectState(reject, other.state).tensors.get('reference')!.shape).toEqual([120, 20]);
  });

  it.each([{}, { measure: 'guess', threshold: 1, rate: 0.05 }, { measure: 'energy', threshold: 1, rate: 0.05 }])(
    'that is damaged is refused: %j',
    async (json) => {
      const { head } = await choice('knn', data);
      const load = () => loadReject({ json, tensors: new Map() }, head);
      expect(load).toThrow(/rule for "unknown"/);
    },
  );

  it('without its reference is refused', async () => {
    const { head } = await choice('logistic', data);
    const json = { measure: 'mean-distance', threshold: 1, rate: 0.05 };
    expect(() => loadReject({ json, tensors: new Map() }, head)).toThrow(/reference/);
  });
});

describe('a novelty score', () => {
  it('is what its formula says, row by row', async () => {
    const data = blobs(['ant', 'bee', 'cat'], 10, 6);
    const head = await createHead('logistic').fit(matrixRows(data.X), data.y);
    const of = (measure: (typeof MEASURES)[number]): Promise<Float64Array> =>
      noveltyScores(measure, head, data.X, referenceOf(measure, rowsOf(data.X, data.y)));
    const logits = await head.logits!(data.X);
    const P = await head.predictProba(data.X);
    const [energy, top] = [await of('energy'), await of('top-probability')];
    for (let i = 0; i < data.X.rows; i++) {
      const s = [...row(logits, i)];
      expect(energy[i]).toBeCloseTo(-Math.log(s.reduce((sum, v) => sum + Math.exp(v), 0)), 10);
      expect(top[i]).toBe(1 - Math.max(...row(P, i)));
      // The logits are those behind the probabilities: float32 of both.
      const sum = s.reduce((total, v) => total + Math.exp(v), 0);
      s.forEach((v, c) => expect(Math.exp(v) / sum).toBeCloseTo(row(P, i)[c]!, 5));
    }
    // Each training row is its own nearest neighbour.
    expect(Math.max(...(await of('first-neighbor')))).toBeLessThan(1e-6);
    const fifth = await of('fifth-neighbor');
    const cosineTo = (i: number, j: number): number => {
      const [a, b] = [row(data.X, i), row(data.X, j)];
      const product = (p: Float32Array, q: Float32Array) => p.reduce((sum, v, at) => sum + v * q[at]!, 0);
      return 1 - product(a, b) / Math.sqrt(product(a, a) * product(b, b));
    };
    const toFirst = Array.from({ length: data.X.rows }, (_, j) => cosineTo(0, j)).sort((a, b) => a - b);
    expect(fifth[0]).toBeCloseTo(toFirst[4]!, 5);
  });

  it('by energy of two classes does not depend on which of them comes first', async () => {
    const { X, y } = blobs(['ant', 'bee'], 20, 6);
    const swapped = y.map((label) => (label === 'ant' ? 'bee' : 'ant'));
    const [a, b] = [
      await createHead('logistic').fit(matrixRows(X), y),
      await createHead('logistic').fit(matrixRows(X), swapped),
    ];
    const [one, other] = [
      await noveltyScores('energy', a, X, undefined),
      await noveltyScores('energy', b, X, undefined),
    ];
    one.forEach((value, i) => expect(value).toBeCloseTo(other[i]!, 4));
  });
});
