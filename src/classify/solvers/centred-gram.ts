import { type Matrix, matrix, rowRange } from '../../core/matrix.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import type { OnnxGraph, OnnxNode } from '../../core/onnx-model.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { gemm, threadsFor } from '../linalg/gemm.ts';
import { mathSession } from '../linalg/math-session.ts';
import { transposedTimesThin } from '../linalg/thin.ts';

/** Columns whose products are summed in float32 before they are added in float64. */
const BLOCK_COLUMNS = 2048;
/** Rows of one block: small enough to leave out nearly half of the work, large enough for full speed. */
const MOST_BLOCK_ROWS = 512;

/**
 * Float32 column means by the runtime's product, shape (d). A free intercept makes up for a shift of the columns: it
 * need not be exact, only the same everywhere.
 */
export async function quickMeans(X: Matrix): Promise<Float32Array> {
  const sampleWeights = new Float64Array(X.rows).fill(1 / X.rows);
  return new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
}

const slice = (input: string, output: string): OnnxNode => ({
  op: 'Slice',
  inputs: [input, 'from', 'to', 'axis'],
  outputs: [output],
});

/** Columns `from` to `to` of rows less their mean. */
const CENTRING: OnnxGraph = {
  name: 'centred columns',
  nodes: [slice('X', 'some'), slice('mean', 'means'), { op: 'Sub', inputs: ['some', 'means'], outputs: ['Z'] }],
  inputs: [
    { name: 'X', type: 'float32', shape: ['n', 'd'] },
    { name: 'mean', type: 'float32', shape: [1, 'd'] },
    { name: 'from', type: 'int64', shape: [1] },
    { name: 'to', type: 'int64', shape: [1] },
  ],
  outputs: [{ name: 'Z', type: 'float32', shape: ['n', 'w'] }],
  initializers: [{ name: 'axis', shape: [1], data: BigInt64Array.of(1n) }],
};

/**
 * (X - mean)·(X - mean)ᵀ, shape (n, n), exactly symmetric. Columns are centred before the float32 products, so that a
 * large common part costs no digits; blocks of columns are added in float64. Throws INTERRUPTED.
 */
export async function centredGram(X: Matrix, mean: Float32Array, context?: FitContext): Promise<Float64Array> {
  const [n, d] = [X.rows, X.cols];
  const out = new Float64Array(n * n);
  const step = Math.min(MOST_BLOCK_ROWS, Math.ceil(n / 2));
  const { Tensor } = await onnxRuntime();
  // The same memory for each block of columns: the system would clear new pages each time.
  const session = await mathSession(CENTRING, 0, { arena: true });
  const at = (position: number) => new Tensor('int64', BigInt64Array.of(BigInt(position)), [1]);
  const all = { X: new Tensor('float32', X.data, [n, d]), mean: new Tensor('float32', mean, [1, d]) };
  const centred = new Float32Array(n * Math.min(d, BLOCK_COLUMNS));
  const products = new Float32Array(n * step);
  try {
    for (let from = 0; from < d; from += BLOCK_COLUMNS) {
      const to = Math.min(d, from + BLOCK_COLUMNS);
      const Z = matrix(n, to - from, centred.subarray(0, n * (to - from)));
      await session.run({ ...all, from: at(from), to: at(to) }, { Z: new Tensor('float32', Z.data, [n, Z.cols]) });
      const threads = threadsFor((n * n * Z.cols) / 2, Z.data.length);
      for (let start = 0; start < n; start += step) {
        checkAborted(context);
        const end = Math.min(n, start + step);
        const into = products.subarray(0, (end - start) * end);
        await gemm('right', rowRange(Z, start, end), rowRange(Z, 0, end), { into, threads });
        for (let i = start; i < end; i++) addLine(out, i * n, into, (i - start) * end, i + 1);
      }
    }
  } finally {
    await session.release();
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

function addLine(out: Float64Array, to: number, products: Float32Array, from: number, count: number): void {
  for (let j = 0; j < count; j++) out[to + j]! += products[from + j]!;
}
