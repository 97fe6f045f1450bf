import type { Matrix } from '../core/matrix.ts';
import type { OnnxNode, OnnxValue } from '../core/onnx-model.ts';
import { encodeOnnx } from '../core/onnx-model.ts';
import { createSession, onnxRuntime } from '../core/onnxruntime.ts';

/** ONNX TensorProto.DataType, for the Cast nodes. */
const FLOAT32 = 1;
const FLOAT64 = 11;
/** Values of X widened to float64 at a time: 256 MiB. */
const BLOCK_VALUES = 2 ** 25;

const cast = (from: string, into: string, to: number): OnnxNode => ({
  op: 'Cast',
  inputs: [from],
  outputs: [into],
  attributes: { to },
});
const float32 = (name: string, ...shape: string[]): OnnxValue => ({ name, type: 'float32', shape });

/**
 * The product X·Y, or Y·X, in float64. X is float32 and widened inside the graph; Y and the product cross the border as two
 * float32 tensors, the value and what rounding took from it, which hold 48 bits between them.
 */
function model(order: readonly ['X64', 'Y64'] | readonly ['Y64', 'X64']): Uint8Array {
  const [x, y] =
    order[0] === 'X64'
      ? [['n', 'p'] as const, ['p', 'm'] as const]
      : [['p', 'm'] as const, ['n', 'p'] as const];
  return encodeOnnx({
    name: 'exact-gemm',
    nodes: [
      cast('X', 'X64', FLOAT64),
      cast('high', 'high64', FLOAT64),
      cast('low', 'low64', FLOAT64),
      { op: 'Add', inputs: ['high64', 'low64'], outputs: ['Y64'] },
      { op: 'Gemm', inputs: order, outputs: ['Z64'] },
      cast('Z64', 'Zhigh', FLOAT32),
      cast('Zhigh', 'Zhigh64', FLOAT64),
      { op: 'Sub', inputs: ['Z64', 'Zhigh64'], outputs: ['Zlow64'] },
      cast('Zlow64', 'Zlow', FLOAT32),
    ],
    inputs: [float32('X', ...x), float32('high', ...y), float32('low', ...y)],
    outputs: [float32('Zhigh', 'n', 'm'), float32('Zlow', 'n', 'm')],
    initializers: [],
  });
}

type Session = Awaited<ReturnType<typeof createSession>>;
let right: Promise<Session> | undefined;
let left: Promise<Session> | undefined;

async function run(session: Session, X: Matrix, Y: Float64Array, shape: readonly [number, number]) {
  const { Tensor } = await onnxRuntime();
  const high = Float32Array.from(Y);
  const low = Float32Array.from(Y, (value, i) => value - high[i]!);
  const { Zhigh, Zlow } = await session.run({
    X: new Tensor('float32', X.data, [X.rows, X.cols]),
    high: new Tensor('float32', high, shape),
    low: new Tensor('float32', low, shape),
  });
  const rest = Zlow!.data as Float32Array;
  return Float64Array.from(Zhigh!.data as Float32Array, (value, i) => value + rest[i]!);
}

function blocks(X: Matrix): { start: number; block: Matrix }[] {
  const size = Math.max(1, Math.floor(BLOCK_VALUES / X.cols));
  return Array.from({ length: Math.ceil(X.rows / size) }, (_, i) => {
    const start = i * size;
    const rows = Math.min(size, X.rows - start);
    return {
      start,
      block: { data: X.data.subarray(start * X.cols, (start + rows) * X.cols), rows, cols: X.cols },
    };
  });
}

/** X·V in float64: X (n, p) float32, V (p, k) float64, row-major; the product has shape (n, k). */
export async function timesExact(X: Matrix, V: Float64Array, k: number): Promise<Float64Array> {
  right ??= createSession(model(['X64', 'Y64']), { enableCpuMemArena: false });
  const session = await right;
  const out = new Float64Array(X.rows * k);
  for (const { start, block } of blocks(X)) out.set(await run(session, block, V, [X.cols, k]), start * k);
  return out;
}

/** Xᵀ·R in float64: X (n, p) float32, R (n, k) float64, row-major; the product has shape (p, k). */
export async function transposedTimesExact(X: Matrix, R: Float64Array, k: number): Promise<Float64Array> {
  left ??= createSession(model(['Y64', 'X64']), { enableCpuMemArena: false });
  const session = await left;
  const sum = new Float64Array(k * X.cols);
  for (const { start, block } of blocks(X)) {
    // (Rᵀ·X)ᵀ: without a transposed factor the runtime's float64 kernel is twice as fast.
    const part = transpose(R.subarray(start * k, (start + block.rows) * k), block.rows, k);
    const product = await run(session, block, part, [k, block.rows]);
    for (let i = 0; i < sum.length; i++) sum[i]! += product[i]!;
  }
  return transpose(sum, k, X.cols);
}

/** The (rows, cols) matrix `data` as its (cols, rows) transpose. */
function transpose(data: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out[j * rows + i] = data[i * cols + j]!;
  return out;
}
