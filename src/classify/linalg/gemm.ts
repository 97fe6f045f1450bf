import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { OnnxGraph, OnnxNode, OnnxType } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { mathSession, sessionCache } from './math-session.ts';

/** A factor of a product: row-major, float32 or float64. A `Matrix` is one. */
export interface Factor {
  readonly data: Float32Array | Float64Array;
  readonly rows: number;
  readonly cols: number;
}

/** Which factor of a product is read transposed. */
export type Transposed = 'neither' | 'left' | 'right';

/** ONNX_TYPE.float64, which only the encoder may import: a protobuf library comes with it. */
const FLOAT64 = 11;

type Float = Extract<OnnxType, 'float32' | 'float64'>;
const typeOf = ({ data }: Factor): Float => (data instanceof Float64Array ? 'float64' : 'float32');

/**
 * Up to so many multiplications and values one thread does it all, in a millisecond or two: on a busy machine the wait
 * for the other threads would be many times that.
 */
const ONE_THREAD = { work: 2 ** 26, values: 2 ** 22 };

/** How many threads for so many multiplications, on factors of up to so many values: 0 is one a core. */
export const threadsFor = (work: number, values: number): 0 | 1 =>
  work <= ONE_THREAD.work && values <= ONE_THREAD.values ? 1 : 0;

const cached = sessionCache();

/** One Gemm node with symbolic sizes; a float32 factor next to a float64 one is widened inside the graph. */
function sessionOf(transposed: Transposed, x: Float, y: Float, threads: number): Promise<OnnxSession> {
  const key = `${transposed} ${x} ${y} ${threads}`;
  const z: Float = x === y ? x : 'float64';
  const widen = (name: string, type: Float): OnnxNode[] =>
    type === z ? [] : [{ op: 'Cast', inputs: [name], outputs: [`${name}64`], attributes: { to: FLOAT64 } }];
  const graph = (): OnnxGraph => ({
    name: `gemm ${key}`,
    nodes: [
      ...widen('X', x),
      ...widen('Y', y),
      {
        op: 'Gemm',
        inputs: [x === z ? 'X' : 'X64', y === z ? 'Y' : 'Y64'],
        outputs: ['Z'],
        attributes: { transA: Number(transposed === 'left'), transB: Number(transposed === 'right') },
      },
    ],
    inputs: [
      { name: 'X', type: x, shape: transposed === 'left' ? ['p', 'n'] : ['n', 'p'] },
      { name: 'Y', type: y, shape: transposed === 'right' ? ['m', 'p'] : ['p', 'm'] },
    ],
    outputs: [{ name: 'Z', type: z, shape: ['n', 'm'] }],
    initializers: [],
  });
  return cached(key, () => mathSession(graph(), threads));
}

/** Where a product goes, by default into new memory, and on how many threads it is made, by default `threadsFor`. */
export interface GemmOptions {
  readonly into?: Factor['data'];
  readonly threads?: 0 | 1;
}

/**
 * The product of two matrices by ONNX Runtime's Gemm: float32 where both are, else in float64. A call costs about 0.03
 * ms. Throws FIT_INVALID for shapes that do not fit, ENGINE_FAILED.
 */
export async function gemm(
  transposed: Transposed,
  X: Factor,
  Y: Factor,
  { into, threads: given }: GemmOptions = {},
): Promise<Factor> {
  const [rows, innerX] = transposed === 'left' ? [X.cols, X.rows] : [X.rows, X.cols];
  const [innerY, cols] = transposed === 'right' ? [Y.cols, Y.rows] : [Y.rows, Y.cols];
  if (innerX !== innerY) {
    throw new PermafrostError(
      'FIT_INVALID',
      `Matrices of ${X.rows} x ${X.cols} and ${Y.rows} x ${Y.cols} have no product here: ${innerX} and ${innerY} must be equal.`,
    );
  }
  const [x, y] = [typeOf(X), typeOf(Y)];
  // ONNX Runtime refuses some empty shapes; an empty sum is zero.
  const z = x === 'float32' ? y : x;
  if (rows === 0 || cols === 0 || innerX === 0) {
    const Values = z === 'float32' ? Float32Array : Float64Array;
    return { data: into?.fill(0) ?? new Values(rows * cols), rows, cols };
  }
  const threads = given ?? threadsFor(rows * cols * innerX, Math.max(X.data.length, Y.data.length));
  const [{ Tensor }, session] = await Promise.all([onnxRuntime(), sessionOf(transposed, x, y, threads)]);
  try {
    const { Z } = await session.run(
      { X: new Tensor(x, X.data, [X.rows, X.cols]), Y: new Tensor(y, Y.data, [Y.rows, Y.cols]) },
      into === undefined ? ['Z'] : { Z: new Tensor(z, into, [rows, cols]) },
    );
    return { data: Z!.data as Float32Array | Float64Array, rows, cols };
  } catch (cause) {
    throw new PermafrostError(
      'ENGINE_FAILED',
      `The product of ${X.rows} x ${X.cols} and ${Y.rows} x ${Y.cols} failed: ${reasonOf(cause)}`,
      { cause },
    );
  }
}
