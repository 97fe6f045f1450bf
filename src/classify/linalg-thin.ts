import type { Matrix } from '../core/matrix.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from '../core/onnx-model.ts';
import { createSession, onnxRuntime } from '../core/onnxruntime.ts';

/** In which precision a product of float32 X and a float64 factor is summed. */
export type Precision = 'float32' | 'float64';

/** ONNX TensorProto.DataType, for the Cast nodes. */
const FLOAT32 = 1;
const FLOAT64 = 11;
/** Values of X in one run, 64 MiB once they are float64. */
const BLOCK_VALUES = 2 ** 23;

const cast = (from: string, into: string, to: number): OnnxNode => ({
  op: 'Cast',
  inputs: [from],
  outputs: [into],
  attributes: { to },
});
const float32 = (name: string, ...shape: string[]): OnnxValue => ({ name, type: 'float32', shape });

type Side = 'X·Y' | 'Y·X';

/**
 * A Gemm of X and Y in either order. For float64, X is widened inside the graph; Y and the product cross the border as two float32
 * tensors, the value and what rounding took from it, which hold 48 bits between them.
 */
function model(side: Side, precision: Precision): OnnxGraph {
  const [x, y] =
    side === 'X·Y' ? [['n', 'p'] as const, ['p', 'm'] as const] : [['p', 'm'] as const, ['n', 'p'] as const];
  const gemm = (X: string, Y: string, Z: string): OnnxNode => ({
    op: 'Gemm',
    inputs: side === 'X·Y' ? [X, Y] : [Y, X],
    outputs: [Z],
  });
  const exact = precision === 'float64';
  return {
    name: `${side} ${precision}`,
    nodes: exact
      ? [
          cast('X', 'X64', FLOAT64),
          cast('Y', 'high', FLOAT64),
          cast('Yrest', 'low', FLOAT64),
          { op: 'Add', inputs: ['high', 'low'], outputs: ['Y64'] },
          gemm('X64', 'Y64', 'Z64'),
          cast('Z64', 'Z', FLOAT32),
          cast('Z', 'rounded', FLOAT64),
          { op: 'Sub', inputs: ['Z64', 'rounded'], outputs: ['lost'] },
          cast('lost', 'Zrest', FLOAT32),
        ]
      : [gemm('X', 'Y', 'Z')],
    inputs: [float32('X', ...x), float32('Y', ...y), ...(exact ? [float32('Yrest', ...y)] : [])],
    outputs: [float32('Z', 'n', 'm'), ...(exact ? [float32('Zrest', 'n', 'm')] : [])],
    initializers: [],
  };
}

type Session = Awaited<ReturnType<typeof createSession>>;
const sessions = new Map<string, Promise<Session>>();
/**
 * Up to so many values of X one thread does it all: a product takes half a millisecond then, and on a busy machine the wait for
 * the other threads would be many times that.
 */
const ONE_THREAD_VALUES = 2 ** 21;

function sessionOf(side: Side, precision: Precision, values: number): Promise<Session> {
  const threads = values <= ONE_THREAD_VALUES ? 1 : 0;
  const key = `${side} ${precision} ${threads}`;
  let session = sessions.get(key);
  if (session === undefined) {
    session = createSession(model(side, precision), { intraOpNumThreads: threads });
    session.catch(() => sessions.delete(key));
    sessions.set(key, session);
  }
  return session;
}

async function run(
  side: Side,
  precision: Precision,
  X: Matrix,
  Y: Float64Array,
  shape: readonly [number, number],
): Promise<Float64Array> {
  const [{ Tensor }, session] = await Promise.all([onnxRuntime(), sessionOf(side, precision, X.data.length)]);
  const high = new Float32Array(Y);
  const feeds = { X: new Tensor('float32', X.data, [X.rows, X.cols]), Y: new Tensor('float32', high, shape) };
  if (precision === 'float32') return new Float64Array((await session.run(feeds)).Z!.data as Float32Array);
  const low = new Float32Array(Y.length);
  for (let i = 0; i < Y.length; i++) low[i] = Y[i]! - high[i]!;
  const { Z, Zrest } = await session.run({ ...feeds, Yrest: new Tensor('float32', low, shape) });
  const out = new Float64Array(Z!.data as Float32Array);
  const lost = Zrest!.data as Float32Array;
  for (let i = 0; i < out.length; i++) out[i]! += lost[i]!;
  return out;
}

/** X·V: X (n, p) float32, V (p, k) float64 row-major, k small. Shape (n, k), row-major. */
export async function timesThin(X: Matrix, V: Float64Array, k: number, precision: Precision) {
  const out = new Float64Array(X.rows * k);
  for (const { start, block } of rowBlocks(X)) {
    out.set(await run('X·Y', precision, block, V, [X.cols, k]), start * k);
  }
  return out;
}

/** Xᵀ·R: X (n, p) float32, R (n, k) float64 row-major, k small. Shape (p, k), row-major. */
export async function transposedTimesThin(X: Matrix, R: Float64Array, k: number, precision: Precision) {
  const sum = new Float64Array(k * X.cols);
  for (const { start, block } of rowBlocks(X)) {
    // (Rᵀ·X)ᵀ with Rᵀ laid out here: the runtime reads a transposed factor at half the speed.
    const part = transpose(R.subarray(start * k, (start + block.rows) * k), block.rows, k);
    const product = await run('Y·X', precision, block, part, [k, block.rows]);
    for (let i = 0; i < sum.length; i++) sum[i]! += product[i]!;
  }
  return transpose(sum, k, X.cols);
}

function rowBlocks(X: Matrix): { start: number; block: Matrix }[] {
  const size = Math.max(1, Math.floor(BLOCK_VALUES / X.cols));
  return Array.from({ length: Math.ceil(X.rows / size) }, (_, i) => {
    const start = i * size;
    const rows = Math.min(size, X.rows - start);
    const data = X.data.subarray(start * X.cols, (start + rows) * X.cols);
    return { start, block: { data, rows, cols: X.cols } };
  });
}

/** The (rows, cols) matrix `data` as its (cols, rows) transpose. */
function transpose(data: Float64Array, rows: number, cols: number): Float64Array {
  if (rows === 1 || cols === 1) return data;
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j]!;
  return out;
}
