import { type Matrix, row } from '../../core/matrix.ts';
import type { OnnxGraph, OnnxNode } from '../../core/onnx-model.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { threadsFor } from '../linalg/gemm.ts';
import { mathSession } from '../linalg/math-session.ts';
import { transposedTimesThin } from '../linalg/thin.ts';

/** Columns whose products are summed in float32 before they are added in float64. */
const BLOCK_COLUMNS = 2048;
/** Rows of one block: small enough to leave out nearly half of the work, large enough for full speed. */
const MOST_BLOCK_ROWS = 512;

const slice = (input: string, from: string, to: string, axis: string, output: string): OnnxNode => ({
  op: 'Slice',
  inputs: [input, from, to, axis],
  outputs: [output],
});

/** Some columns of the first rows less their mean; of these the last rows times all. */
const graph: OnnxGraph = {
  name: 'centred gram',
  nodes: [
    slice('X', 'from', 'to', 'columns', 'some'),
    slice('mean', 'from', 'to', 'columns', 'means'),
    { op: 'Sub', inputs: ['some', 'means'], outputs: ['Z'] },
    slice('Z', 'start', 'end', 'rows', 'last'),
    { op: 'Gemm', inputs: ['last', 'Z'], outputs: ['G'], attributes: { transB: 1 } },
  ],
  inputs: [
    { name: 'X', type: 'float32', shape: ['n', 'd'] },
    { name: 'mean', type: 'float32', shape: [1, 'd'] },
    ...['from', 'to', 'start', 'end'].map((name) => ({ name, type: 'int64' as const, shape: [1] })),
  ],
  outputs: [{ name: 'G', type: 'float32', shape: ['m', 'n'] }],
  initializers: [
    { name: 'rows', shape: [1], data: BigInt64Array.of(0n) },
    { name: 'columns', shape: [1], data: BigInt64Array.of(1n) },
  ],
};

/**
 * Float32 column means by the runtime's product, shape (d). A free intercept makes up for a shift of the columns: it
 * need not be exact, only the same everywhere.
 */
export async function quickMeans(X: Matrix): Promise<Float32Array> {
  const sampleWeights = new Float64Array(X.rows).fill(1 / X.rows);
  return new Float32Array(await transposedTimesThin(X, sampleWeights, 1, 'float32'));
}

/**
 * (X - mean)·(X - mean)ᵀ, shape (n, n), exactly symmetric. Columns are centred before the float32 products, so that a
 * large common part costs no digits; blocks of columns are added in float64. Throws INTERRUPTED.
 */
export async function centredGram(X: Matrix, mean: Float32Array, context?: FitContext): Promise<Float64Array> {
  const [n, d] = [X.rows, X.cols];
  const out = new Float64Array(n * n);
  const step = Math.min(MOST_BLOCK_ROWS, Math.ceil(n / 2));
  const { Tensor } = await onnxRuntime();
  const at = (position: number) => new Tensor('int64', BigInt64Array.of(BigInt(position)), [1]);
  const means = new Tensor('float32', mean, [1, d]);
  const width = Math.min(d, BLOCK_COLUMNS);
  // Blocks take the memory of earlier ones, which the system would give out anew each time: a third of the time.
  const session = await mathSession(graph, threadsFor(step * n * width, n * width), { arena: true });
  try {
    for (let start = 0; start < n; start += step) {
      const end = Math.min(n, start + step);
      const rows = new Tensor('float32', X.data.subarray(0, end * d), [end, d]);
      for (let from = 0; from < d; from += width) {
        checkAborted(context);
        const of = { from: at(from), to: at(Math.min(d, from + width)), start: at(start), end: at(end) };
        const { G } = await session.run({ X: rows, mean: means, ...of });
        const block = { data: G!.data as Float32Array<ArrayBuffer>, rows: end - start, cols: end };
        for (let i = start; i < end; i++) addLine(out, i * n, row(block, i - start), i + 1);
      }
    }
  } finally {
    await session.release();
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[j * n + i] = out[i * n + j]!;
  return out;
}

function addLine(out: Float64Array, at: number, line: Float32Array, count: number): void {
  for (let j = 0; j < count; j++) out[at + j]! += line[j]!;
}
