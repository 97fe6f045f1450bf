import { type Matrix, selectRows } from '../../core/matrix.ts';
import type { OnnxGraph } from '../../core/onnx-model.ts';
import { onnxRuntime } from '../../core/onnxruntime.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { timesTransposed } from '../linalg/times.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';
import { integerProduct } from '../linalg/integer-products.ts';

/** Rows of one block of products: small enough to leave out nearly half of the work, large enough for full speed. */
const BLOCK_ROWS = 512;
/** Rows, evenly spread, whose products are also made in float32: they measure the error of the others. */
const SAMPLE = 64;

const cached = sessionCache();
const session = (graph: Omit<OnnxGraph, 'initializers'>) =>
  cached(graph.name, () => mathSession({ ...graph, initializers: [] }, 0));

/** The largest and the least value of each row, one pass over X. */
const extents = () =>
  session({
    name: 'extents',
    nodes: [
      { op: 'ReduceMax', inputs: ['X'], outputs: ['most'], attributes: { axes: [1], keepdims: 0 } },
      { op: 'ReduceMin', inputs: ['X'], outputs: ['least'], attributes: { axes: [1], keepdims: 0 } },
    ],
    inputs: [{ name: 'X', type: 'float32', shape: ['n', 'd'] }],
    outputs: [
      { name: 'most', type: 'float32', shape: ['n'] },
      { name: 'least', type: 'float32', shape: ['n'] },
    ],
  });

/** Each row in 8 bits of its own step. */
const quantizer = () =>
  session({
    name: 'quantizer',
    nodes: [{ op: 'QuantizeLinear', inputs: ['X', 'steps', 'zeros'], outputs: ['Q'], attributes: { axis: 0 } }],
    inputs: [
      { name: 'X', type: 'float32', shape: ['n', 'd'] },
      { name: 'steps', type: 'float32', shape: ['n'] },
      { name: 'zeros', type: 'uint8', shape: ['n'] },
    ],
    outputs: [{ name: 'Q', type: 'uint8', shape: ['n', 'd'] }],
  });

const multiplier = () =>
  session({
    name: 'integer gram',
    nodes: integerProduct,
    inputs: [
      { name: 'X', type: 'uint8', shape: ['n', 'd'] },
      { name: 'Y', type: 'int8', shape: ['m', 'd'] },
      { name: 'zeroX', type: 'uint8', shape: [] },
      { name: 'zeroY', type: 'int8', shape: [] },
    ],
    outputs: [{ name: 'Z', type: 'int32', shape: ['n', 'm'] }],
  });

/**
 * About (X - mean)·(X - mean)ᵀ (n, n), symmetric, of 8-bit products, several times as fast as float32 with the right
 * instructions. A sample of exact products measures the rounding; the diagonal is raised to keep the matrix positive (a
 * random symmetric one of deviation s has eigenvalues up to 2·s·sqrt(n): Wigner 1958). Throws INTERRUPTED.
 */
export async function roughGram(X: Matrix, context?: FitContext): Promise<Matrix> {
  const n = X.rows;
  const { Tensor } = await onnxRuntime();
  const all = new Tensor('float32', X.data, [n, X.cols]);
  const { most, least } = await (await extents()).run({ X: all });
  checkAborted(context);
  const [high, low] = [most!.data as Float32Array, least!.data as Float32Array];
  const zero = low.some((value) => value < 0) ? 128 : 0;
  // A row of zeros may have any step.
  const steps = high.map((value, i) => (zero === 0 ? value / 255 : Math.max(value, -low[i]!) / 127) || 1);
  const { Q } = await (
    await quantizer()
  ).run({
    X: all,
    steps: new Tensor('float32', steps, [n]),
    zeros: new Tensor('uint8', new Uint8Array(n).fill(zero), [n]),
  });
  const bytes = (from: number, to: number) => (Q!.data as Uint8Array).subarray(from * X.cols, to * X.cols);
  const zeroX = new Tensor('uint8', Uint8Array.of(zero), []);
  const zeroY = new Tensor('int8', Int8Array.of(zero - 128), []);
  const gram = { data: new Float32Array(n * n), rows: n, cols: n };
  const integers = await multiplier();
  for (let start = 0; start < n; start += BLOCK_ROWS) {
    checkAborted(context);
    const end = Math.min(n, start + BLOCK_ROWS);
    const { Z } = await integers.run({
      X: new Tensor('uint8', bytes(start, n), [n - start, X.cols]),
      Y: new Tensor('int8', lowered(bytes(start, end)), [end - start, X.cols]),
      zeroX,
      zeroY,
    });
    place(gram.data, Z!.data as Int32Array, steps, start, end);
  }
  const some = Array.from({ length: Math.min(n, SAMPLE) }, (_, i) => Math.floor((i * n) / Math.min(n, SAMPLE)));
  const sample = selectRows(X, some);
  const exact = await timesTransposed(sample, sample);
  const off = {
    ...exact,
    data: exact.data.map(
      (value, at) => value - gram.data[some[Math.floor(at / exact.cols)]! * n + some[at % exact.cols]!]!,
    ),
  };
  centre(off);
  const deviation = Math.sqrt(off.data.reduce((sum, value) => sum + value * value, 0) / off.data.length);
  centre(gram);
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += 2 * deviation * Math.sqrt(n);
  return gram;
}

/** Bytes less 128, the fastest operand for bytes from 0: a flip of the highest bit, four bytes at a time. */
function lowered(bytes: Uint8Array): Int8Array {
  const words = new Uint32Array(Math.ceil(bytes.length / 4));
  new Uint8Array(words.buffer).set(bytes);
  for (let at = 0; at < words.length; at++) words[at]! ^= 0x80808080;
  return new Int8Array(words.buffer, 0, bytes.length);
}

/** Columns [start, end) of the lower triangle, and their mirror image. */
function place(gram: Float32Array, Z: Int32Array, steps: Float32Array, start: number, end: number): void {
  const n = steps.length;
  const width = end - start;
  for (let i = start; i < n; i++) {
    const read = (i - start) * width;
    const step = steps[i]!;
    const last = Math.min(i + 1, end);
    for (let j = start; j < last; j++) {
      const value = step * steps[j]! * Z[read + j - start]!;
      gram[i * n + j] = value;
      gram[j * n + i] = value;
    }
  }
}

/** Products of the rows less their mean, from products of the rows, symmetric, in place. */
function centre({ data, rows: n }: Matrix): void {
  const means = new Float64Array(n);
  for (let i = 0, at = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += data[at++]!;
    means[i] = sum / n;
  }
  const whole = means.reduce((sum, value) => sum + value, 0) / n;
  for (let i = 0, at = 0; i < n; i++) {
    const mine = means[i]! - whole;
    for (let j = 0; j < n; j++) data[at++]! -= mine + means[j]!;
  }
}
