import { matrix, type Matrix, rowRange } from '../../core/matrix.ts';
import type { OnnxNode, OnnxValue } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { threadsFor } from '../linalg/gemm.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';

/** ONNX_TYPE.float64, which only the encoder may import: a protobuf library comes with it. */
const FLOAT64 = 11;

/** Kernel values of one run: 16 MiB of float32, and as many of float64. */
const MOST_VALUES = 2 ** 22;

const cached = sessionCache();

/**
 * Squared distances |x|² + |z|² - 2·x·z of the rows less a common `mean`, float32: a large common part costs no digits.
 * What rounding leaves below zero is zero.
 */
const distances: readonly OnnxNode[] = [
  { op: 'Sub', inputs: ['X', 'mean'], outputs: ['Xc'] },
  { op: 'Sub', inputs: ['Z', 'mean'], outputs: ['Zc'] },
  { op: 'Mul', inputs: ['Xc', 'Xc'], outputs: ['XX'] },
  { op: 'Mul', inputs: ['Zc', 'Zc'], outputs: ['ZZ'] },
  { op: 'ReduceSum', inputs: ['XX', 'columns'], outputs: ['ofX'], attributes: { keepdims: 1 } },
  { op: 'ReduceSum', inputs: ['ZZ', 'columns'], outputs: ['ofZ'], attributes: { keepdims: 0 } },
  { op: 'Mul', inputs: ['Xc', 'minusTwo'], outputs: ['X2'] },
  { op: 'Gemm', inputs: ['X2', 'Zc', 'ofZ'], outputs: ['P'], attributes: { transB: 1 } },
  { op: 'Add', inputs: ['P', 'ofX'], outputs: ['signed'] },
  { op: 'Relu', inputs: ['signed'], outputs: ['D'] },
];

/** The kernel of those distances, float64 for what is summed of it. */
const kernel: readonly OnnxNode[] = [
  ...distances,
  { op: 'Mul', inputs: ['D', 'minusGamma'], outputs: ['E'] },
  { op: 'Exp', inputs: ['E'], outputs: ['K32'] },
  { op: 'Cast', inputs: ['K32'], outputs: ['K'], attributes: { to: FLOAT64 } },
];

const GAMMA: OnnxValue = { name: 'minusGamma', type: 'float32', shape: [1] };
const GRAPHS = {
  distances: { nodes: distances, inputs: [], output: { name: 'D', type: 'float32', shape: ['q', 'n'] } },
  kernel: { nodes: kernel, inputs: [GAMMA], output: { name: 'K', type: 'float64', shape: ['q', 'n'] } },
  products: {
    nodes: [...kernel, { op: 'Gemm', inputs: ['K', 'V'], outputs: ['S'] }],
    inputs: [GAMMA, { name: 'V', type: 'float64', shape: ['n', 'k'] }],
    output: { name: 'S', type: 'float64', shape: ['q', 'k'] },
  },
} as const satisfies Record<
  string,
  { readonly nodes: readonly OnnxNode[]; readonly inputs: readonly OnnxValue[]; readonly output: OnnxValue }
>;

function session(name: keyof typeof GRAPHS, threads: number): Promise<OnnxSession> {
  const { nodes, inputs, output } = GRAPHS[name];
  return cached(`${name} ${threads}`, () =>
    mathSession(
      {
        name: `kernel: ${name}`,
        nodes,
        inputs: [
          { name: 'X', type: 'float32', shape: ['q', 'd'] },
          { name: 'Z', type: 'float32', shape: ['n', 'd'] },
          { name: 'mean', type: 'float32', shape: [1, 'd'] },
          ...inputs,
        ],
        outputs: [output],
        initializers: [
          { name: 'columns', shape: [1], data: BigInt64Array.of(1n) },
          { name: 'minusTwo', shape: [1], data: Float32Array.of(-2) },
        ],
      },
      threads,
    ),
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

/** Squared Euclidean distances of the rows of X (q, d) to those of Z (n, d), float32, shape (q, n). */
export async function crossDistances(X: Matrix, Z: Matrix, centre: Centre): Promise<Matrix> {
  if (X.rows === 0 || Z.rows === 0) return matrix(X.rows, Z.rows);
  const run = await session('distances', threadsOf(X, Z));
  const { D } = await run.run(await rowTensors(X, Z, centre));
  return matrix(X.rows, Z.rows, D!.data as Float32Array<ArrayBuffer>);
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
