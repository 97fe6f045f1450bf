import { describe, expect, it } from 'vitest';
import { graphWriter } from '../../../src/core/onnx/graph-writer.ts';
import { type Matrix, matrix, selectRows } from '../../../src/core/matrix.ts';
import { encodeOnnx } from '../../../src/core/onnx-model.ts';
import { createSession, onnxRuntime } from '../../../src/core/onnxruntime.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import type { FittedHead } from '../../../src/classify/head.ts';
import { createHead, HEAD_NAMES, scalesProbabilities, type HeadName } from '../../../src/classify/heads/index.ts';
import { pcaHead } from '../../../src/classify/heads/pca-head.ts';
import { scaledHead } from '../../../src/classify/heads/scaled-head.ts';
import { applyNormalizer, fitNormalizer, NORMALIZATIONS, type Normalizer } from '../../../src/classify/normalize.ts';
import { MEASURES, noveltyScores, referenceOf } from '../../../src/classify/novelty/novelty-score.ts';
import { headNodes, MOST_ROW_BYTES } from '../../../src/classify/onnx/head-nodes.ts';
import { normalizerNodes } from '../../../src/classify/onnx/normalizer-nodes.ts';
import { noveltyNodes } from '../../../src/classify/onnx/novelty-nodes.ts';
import { blobs, expectCode } from '../heads/head-contract.ts';
import { hnswMissing } from '../neighbors/hnsw-missing.ts';

const SIGNED = 4;

/** Classes around centres with values below zero too, in columns of very different sizes. */
function features(names: readonly string[]): { X: Matrix; y: string[]; asked: Matrix } {
  const { X, y } = blobs(names, 14, 12);
  X.data.forEach((value, at) => (X.data[at] = at % 12 < SIGNED ? value - 1.5 : value * (1 + (at % 12))));
  const rows = Array.from(X.data.keys()).slice(0, X.rows);
  const known = rows.filter((i) => i % 7 !== 0);
  return {
    X: selectRows(X, known),
    y: known.map((i) => y[i]!),
    asked: selectRows(
      X,
      rows.filter((i) => i % 7 === 0),
    ),
  };
}

interface Answered {
  readonly probabilities: Matrix;
  readonly novelty?: Float32Array;
  readonly unknown?: readonly boolean[];
}

type Rule = Parameters<typeof noveltyNodes>[1];

/** What the graph of a head answers on ONNX Runtime for raw rows. */
async function answered(head: FittedHead, normalizer: Normalizer, X: Matrix, rule?: Rule): Promise<Answered> {
  const w = graphWriter('head/');
  const normalized = normalizerNodes(w, normalizer, w.op('Identity', ['X']));
  const answers = await headNodes(w, head, normalized);
  w.named('probabilities', answers.probabilities);
  if (rule !== undefined) {
    const { novelty, unknown } = noveltyNodes(w, rule, normalized, answers);
    w.named('novelty', novelty);
    w.named('unknown', unknown);
  }
  const outputs = [
    { name: 'probabilities', type: 'float32', shape: ['n', head.classes.length] },
    ...(rule === undefined
      ? []
      : [
          { name: 'novelty', type: 'float32', shape: ['n'] } as const,
          { name: 'unknown', type: 'bool', shape: ['n'] } as const,
        ]),
  ] as const;
  const inputs = [{ name: 'X', type: 'float32', shape: ['n', X.cols] }] as const;
  const session = await createSession(encodeOnnx({ name: 'head', ...w.parts(), inputs, outputs }));
  try {
    const { Tensor } = await onnxRuntime();
    const found = await session.run({ X: new Tensor('float32', X.data, [X.rows, X.cols]) });
    const P = found.probabilities!.data as Float32Array<ArrayBuffer>;
    return {
      probabilities: matrix(X.rows, head.classes.length, P),
      ...(rule && {
        novelty: found.novelty!.data as Float32Array,
        unknown: Array.from(found.unknown!.data as Uint8Array, (is) => is === 1),
      }),
    };
  } finally {
    await session.release();
  }
}

function largestDifference(a: Matrix, b: Matrix): number {
  expect([a.rows, a.cols]).toEqual([b.rows, b.cols]);
  return a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);
}

/** Trains on normalised rows, and compares what graph and head answer for others. */
async function difference(
  name: HeadName,
  options: object,
  { names = ['a', 'b', 'c'], kind = 'l2', pca = 0, parts = [12] }: Partial<Setting> = {},
): Promise<number> {
  const { X, y, asked } = features(names);
  const normalizer = await fitNormalizer(kind, matrixRows(X), parts);
  const head = createHead(name, options);
  const fitted = await (pca > 0 ? pcaHead(pca, head) : head).fit(matrixRows(applyNormalizer(normalizer, X)), y);
  const scaled = scaledHead(fitted, scalesProbabilities(name) ? 0.7 : undefined);
  const expected = await scaled.predictProba(applyNormalizer(normalizer, asked));
  return largestDifference((await answered(scaled, normalizer, asked)).probabilities, expected);
}

interface Setting {
  readonly names: readonly string[];
  readonly kind: (typeof NORMALIZATIONS)[number];
  readonly pca: number;
  readonly parts: readonly number[];
}

const OPTIONS: Record<HeadName, readonly object[]> = {
  softmax: [{ maxEpochs: 40 }],
  logistic: [{ C: 10 }],
  ridge: [{}],
  'linear-svm': [{}],
  'kernel-ridge': [{}, { exactRows: 0, nComponents: 9 }],
  'kernel-logistic': [{}],
  lda: [{}],
  mlp: [{ maxEpochs: 40 }],
  knn: [
    { nNeighbors: 3 },
    { nNeighbors: 4, weights: 'distance' },
    { nNeighbors: 4, weights: 'distance', metric: 'euclidean' },
  ],
  'knn-hnsw': [{ nNeighbors: 3 }],
  'ml-logistic': [{ numSteps: 200, learningRate: 0.005 }],
  centroid: [{}, { metric: 'euclidean' }],
  ensemble: [{ members: 'logistic C=10; knn nNeighbors=3; kernel-ridge; centroid' }],
};

const NEAR = 1e-5;

describe('a head as operators of a graph', () => {
  const missing = new Map([['knn-hnsw', hnswMissing()]]);
  for (const name of HEAD_NAMES) {
    for (const [i, options] of OPTIONS[name].entries()) {
      it(`answers as ${name} does (${i}), for two classes and for three`, async ({ skip }) => {
        const reason = await missing.get(name);
        if (reason) skip(reason);
        for (const names of [
          ['a', 'b'],
          ['a', 'b', 'c'],
        ])
          expect(await difference(name, options, { names })).toBeLessThan(NEAR);
      });
    }
  }

  it.each(NORMALIZATIONS)('normalises by %s, of one part and of two side by side', async (kind) => {
    for (const parts of [[12], [5, 7]]) expect(await difference('logistic', {}, { kind, parts })).toBeLessThan(NEAR);
  });

  it.each(['logistic', 'kernel-ridge', 'knn', 'mlp'] as const)('takes %s on principal components', async (name) => {
    expect(await difference(name, OPTIONS[name][0]!, { pca: 4, kind: 'standard' })).toBeLessThan(NEAR);
  });

  it.each(MEASURES)('tells the unknown by %s', async (measure) => {
    for (const names of [
      ['a', 'b'],
      ['a', 'b', 'c'],
    ]) {
      const { X, y, asked } = features(names);
      const normalizer = await fitNormalizer('l2', matrixRows(X));
      const known = applyNormalizer(normalizer, X);
      const head = await createHead('logistic').fit(matrixRows(known), y);
      const reference = referenceOf(measure, {
        X: known,
        rows: [...known.data.keys()].slice(0, known.rows),
        labels: y,
      });
      const expected = await noveltyScores(measure, head, applyNormalizer(normalizer, asked), reference);
      const [low, high] = [Math.min(...expected), Math.max(...expected)];
      const threshold = (low + high) / 2;
      const found = await answered(head, normalizer, asked, { measure, threshold, rate: 0.05, reference });
      expected.forEach((score, i) => expect(found.novelty![i]).toBeCloseTo(score, 5));
      expect(found.unknown).toEqual(Array.from(expected, (score) => score > threshold));
      expect(new Set(found.unknown).size).toBe(2);
    }
  });

  it('keeps rows of zeros', async () => {
    const { X, y } = features(['a', 'b']);
    const normalizer = await fitNormalizer('l2', matrixRows(X));
    const head = await createHead('knn').fit(matrixRows(applyNormalizer(normalizer, X)), y);
    const zeros = matrix(2, 12);
    const expected = await head.predictProba(applyNormalizer(normalizer, zeros));
    expect(largestDifference((await answered(head, normalizer, zeros)).probabilities, expected)).toBeLessThan(NEAR);
  });

  it('is refused by name where its training rows are not in it, or are too many', async () => {
    const { X, y } = features(['a', 'b']);
    const head = await createHead('knn').fit(matrixRows(X), y);
    const tensors = new Map(head.state.tensors);
    const write = (state: FittedHead['state']) => headNodes(graphWriter(''), { ...head, state }, 'X');
    tensors.delete('rows');
    await expectCode(
      write({ ...head.state, tensors }),
      'OPTION_INVALID',
      /"knn" cannot be exported.*left its training rows/,
    );
    const data = { byteLength: MOST_ROW_BYTES + 4 } as Float32Array;
    tensors.set('rows', { shape: [1, 1], data });
    await expectCode(
      write({ ...head.state, tensors }),
      'OPTION_INVALID',
      /"knn" cannot be exported.*268435456 at most/,
    );
  });
});
