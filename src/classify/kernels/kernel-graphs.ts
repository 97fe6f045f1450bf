import { matrix, type Matrix, rowRange } from '../../core/matrix.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { threadsFor } from '../linalg/gemm.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';

/** ONNX_TYPE.float64, which only the encoder may import: a protobuf library comes with it. */
const FLOAT64 = 11;

/** Kernel values of one run: 16 MiB of float32, and as many of float64. */
const MOST_VALUES = 2 ** 22;

const cached = sessionCache();

/** Rows less a common `mean`, so that a large common part costs no digits, and their squared lengths, float32. */
const centring = (rows: string, centred: string, squares: string, keepdims: 0 | 1): readonly OnnxNode[] => [
  { op: 'Sub', inputs: [rows, 'mean'], outputs: [centred] },
  { op: 'Mul', inputs: [centred, centred], outputs: [`${rows}${rows}`] },
  { op: 'ReduceSum', inputs: [`${rows}${rows}`, 'columns'], outputs: [squares], attributes: { keepdims } },
];

/** Squared distances |x|² + |z|² - 2·x·z of centred rows, float32. What rounding leaves below zero is zero. */
const distances: readonly OnnxNode[] = [
  { op: 'Gemm', inputs: ['Xc', 'Zc', 'ofZ'], outputs: ['P'], attributes: { transB: 1, alpha: { float: -2 } } },
  { op: 'Add', inputs: ['P', 'ofX'], outputs: ['signed'] },
  { op: 'Relu', inputs: ['signed'], outputs: ['D'] },
];

/** The kernel of those distances, float64 for what is summed of it. */
const kernel: readonly OnnxNode[] = [
  ...centring('X', 'Xc', 'ofX', 1),
  ...centring('Z', 'Zc', 'ofZ', 0),
  ...distances,
  { op: 'Mul', inputs: ['D', 'minusGamma'], outputs: ['E'] },
  { op: 'Exp', inputs: ['E'], outputs: ['K32'] },
  { op: 'Cast', inputs: ['K32'], outputs: ['K'], attributes: { to: FLOAT64 } },
];

const rows = (name: string, count: string): OnnxValue => ({ name, type: 'float32', shape: [count, 'd'] });
const MEAN: OnnxValue = { name: 'mean', type: 'float32', shape: [1, 'd'] };
const BOTH = [rows('X', 'q'), rows('Z', 'n'), MEAN, { name: 'minusGamma', type: 'float32', shape: [1] }] as const;
const GRAPHS = {
  centred: {
    nodes: centring('X', 'Xc', 'ofX', 0),
    inputs: [rows('X', 'q'), MEAN],
    outputs: [rows('Xc', 'q'), { name: 'ofX', type: 'float32', shape: ['q'] }],
  },
  distances: {
    nodes: distances,
    inputs: [
      rows('Xc', 'q'),
      { name: 'ofX', type: 'float32', shape: ['q', 1] },
      rows('Zc', 'n'),
      { name: 'ofZ', type: 'float32', shape: ['n'] },
    ],
    outputs: [{ name: 'D', type: 'float32', shape: ['q', 'n'] }],
  },
  kernel: { nodes: kernel, inputs: BOTH, outputs: [{ name: 'K', type: 'float64', shape: ['q', 'n'] }] },
  products: {
    nodes: [...kernel, { op: 'Gemm', inputs: ['K', 'V'], outputs: ['S'] }],
    inputs: [...BOTH, { name: 'V', type: 'float64', shape: ['n', 'k'] }],
    outputs: [{ name: 'S', type: 'float64', shape: ['q', 'k'] }],
  },
} as const satisfies Record<string, Pick<OnnxGraph, 'nodes' | 'inputs' | 'outputs'>>;

function session(name: keyof typeof GRAPHS, threads: number): Promise<OnnxSession> {
  const initializers = name === 'distances' ? [] : [{ name: 'columns', shape: [1], data: BigInt64Array.of(1n) }];
  return cached(`${name} ${threads}`, () =>
    mathSession({ name: `kernel: ${name}`, ...GRAPHS[name], initializers }, threads),
  );
}

/** What is taken off both sides before distances are computed, shape (d): any row near their middle. */
export type Centre = Float32Array;

async function rowTensors(X: Matrix, Z: Matrix, centre: Centre) {
  const { Tensor } = await onnxRuntime();
  return {
    X: new Tensor('float32', X.data, [X.rows, X.cols]),
    Z: new Tensor('float32', Z.data, [Z.rows, Z.cols]),
    mean: new Tensor('float32', centre, [1, X.cols]),
  };
}

const threadsOf = (X: Matrix, Z: Matrix): 0 | 1 =>
  threadsFor(X.rows * Z.rows * X.cols, Math.max(X.data.length, Z.data.length));

/** Rows less a centre (m, d), and their squared lengths (m). */
export interface CentredRows {
  readonly X: Matrix;
  readonly squares: Float32Array;
}

/** A copy of the rows. */
export async function centredRows({ data, rows: count, cols }: Matrix, centre: Centre): Promise<CentredRows> {
  const { Tensor } = await onnxRuntime();
  const run = await session('centred', threadsFor(data.length, data.length));
  const { Xc, ofX } = await run.run({
    X: new Tensor('float32', data, [count, cols]),
    mean: new Tensor('float32', centre, [1, cols]),
  });
  return {
    X: matrix(count, cols, Xc!.data as Float32Array<ArrayBuffer>),
    squares: ofX!.data as Float32Array,
  };
}

/** Rows [from, to) of them. */
export const centredRange = ({ X, squares }: CentredRows, from: number, to: number): CentredRows => ({
  X: rowRange(X, from, to),
  squares: squares.subarray(from, to),
});

/** Distances of one run, which the cache holds. */
const BLOCK_VALUES = 2 ** 18;

/** Squared Euclidean distances of rows X (q, d) to rows Z (n, d), both less one centre, float32, shape (q, n). */
export async function crossDistances({ X, squares: ofX }: CentredRows, { X: Z, squares: ofZ }: CentredRows) {
  const { Tensor } = await onnxRuntime();
  const out = matrix(X.rows, Z.rows);
  const step = Math.max(1, Math.floor(BLOCK_VALUES / Z.rows));
  const [Zc, ofZc] = [new Tensor('float32', Z.data, [Z.rows, Z.cols]), new Tensor('float32', ofZ, [Z.rows])];
  for (let from = 0; from < X.rows; from += step) {
    const part = rowRange(X, from, Math.min(X.rows, from + step));
    const found = rowRange(out, from, from + part.rows);
    const run = await session('distances', threadsOf(part, Z));
    await run.run(
      {
        Xc: new Tensor('float32', part.data, [part.rows, part.cols]),
        ofX: new Tensor('float32', ofX.subarray(from, from + part.rows), [part.rows, 1]),
        Zc,
        ofZ: ofZc,
      },
      { D: new Tensor('float32', found.data, [found.rows, found.cols]) },
    );
  }
  return out;
}

/** How distances become kernel values: exp(-gamma·d²). */
export interface KernelWidth {
  readonly centre: Centre;
  readonly gamma: number;
}

/** exp(-gamma·d²) of the rows of X (q, d) and those of Z (n, d), computed in float32, shape (q, n). */
export async function crossKernel(X: Matrix, Z: Matrix, { centre, gamma }: KernelWidth): Promise<Square> {
  if (X.rows === 0 || Z.rows === 0) return { data: new Float64Array(0), rows: X.rows, cols: Z.rows };
  const { Tensor } = await onnxRuntime();
  const run = await session('kernel', threadsOf(X, Z));
  const { K } = await run.run({
    ...(await rowTensors(X, Z, centre)),
    minusGamma: new Tensor('float32', Float32Array.of(-gamma), [1]),
  });
  return { data: K!.data as Float64Array, rows: X.rows, cols: Z.rows };
}

/** exp(-gamma·d²)·V of the rows of X (q, d) against those of Z (n, d), V (n, k), summed in float64, shape (q, k). */
export async function kernelProducts(
  X: Matrix,
  Z: Matrix,
  { centre, gamma }: KernelWidth,
  V: Float64Array,
): Promise<Float64Array> {
  const k = V.length / Z.rows;
  const out = new Float64Array(X.rows * k);
  const { Tensor } = await onnxRuntime();
  for (const { start, part } of kernelParts(X, Z.rows)) {
    const run = await session('products', threadsOf(part, Z));
    const { S } = await run.run({
      ...(await rowTensors(part, Z, centre)),
      minusGamma: new Tensor('float32', Float32Array.of(-gamma), [1]),
      V: new Tensor('float64', V, [Z.rows, k]),
    });
    out.set(S!.data as Float64Array, start * k);
  }
  return out;
}

/** X in parts whose kernel values with `others` rows are few enough for one run. */
export function kernelParts(X: Matrix, others: number): { readonly start: number; readonly part: Matrix }[] {
  const step = Math.max(1, Math.floor(MOST_VALUES / others));
  return Array.from({ length: Math.ceil(X.rows / step) }, (_, p) => {
    const start = p * step;
    return { start, part: rowRange(X, start, Math.min(X.rows, start + step)) };
  });
}
