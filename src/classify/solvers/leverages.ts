import type { OnnxType } from '../../core/onnx-model.ts';
import { onnxRuntime, type OnnxSession } from '../../core/onnxruntime.ts';
import { threadsFor, type Factor } from '../linalg/gemm.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { mathSession, sessionCache } from '../linalg/math-session.ts';

/** Lines of L⁻¹ as far as they are not zero. With four parts 0.63 of the whole square is multiplied. */
const PARTS = 4;

/**
 * Float32 moves a leverage by about its rounding times ‖L⁻¹‖·‖x‖. Up to MOST_ERROR that is taken; a leverage near 1,
 * which the leave-one-out error divides by its distance from 1, is found in float64.
 */
const FLOAT32_ROUNDING = 2 ** -24;
const MOST_ERROR = 1e-6;
const MOST_LEVERAGE = 0.99;

/** Rows as centred columns Xcᵀ (d, n), in both precisions: they meet one triangle an alpha. */
export interface RowColumns {
  readonly exact: Float64Array;
  readonly quick: Float32Array;
  readonly rows: number;
  /** Length of the longest row. */
  readonly longest: number;
}

export const rowColumns = ({ data, cols }: Factor): RowColumns => ({
  exact: data as Float64Array,
  quick: new Float32Array(data),
  rows: cols,
  longest: longestColumn(data, cols),
});

/** L⁻¹, A + alpha = L·Lᵀ, for the leverages of rows. */
export interface Triangle {
  /** Squared length of each row of Xc·L⁻ᵀ: the leverages, shape (n). */
  leverages(columns: RowColumns): Promise<Float64Array>;
}

const cached = sessionCache();

/** Sums of squares of the columns of a product: the product itself does not come back. */
function session(type: Extract<OnnxType, 'float32' | 'float64'>, threads: number): Promise<OnnxSession> {
  return cached(`${type} ${threads}`, () =>
    mathSession(
      {
        name: 'leverages',
        nodes: [
          { op: 'Gemm', inputs: ['L', 'X'], outputs: ['Z'] },
          { op: 'Mul', inputs: ['Z', 'Z'], outputs: ['squares'] },
          { op: 'ReduceSum', inputs: ['squares', 'lines'], outputs: ['h'], attributes: { keepdims: 0 } },
        ],
        inputs: [
          { name: 'L', type, shape: ['p', 'd'] },
          { name: 'X', type, shape: ['d', 'n'] },
        ],
        outputs: [{ name: 'h', type, shape: ['n'] }],
        initializers: [{ name: 'lines', shape: [1], data: BigInt64Array.of(0n) }],
      },
      threads,
    ),
  );
}

/** The triangle of an inverse L⁻¹ (d, d), which is kept. */
export function triangleOf(inverse: Square): Triangle {
  const d = inverse.rows;
  const step = Math.ceil(d / PARTS);
  const length = Math.sqrt(inverse.data.reduce((sum, value) => sum + value * value, 0));
  const parts = Array.from({ length: Math.ceil(d / step) }, (_, i) => ({
    from: i * step,
    to: Math.min(d, (i + 1) * step),
  }));

  /** The first `to` numbers of each line. */
  function linesOf<Values extends Float32Array | Float64Array>(
    { from, to }: (typeof parts)[number],
    data: Values,
  ): Values {
    for (let i = from; i < to; i++) data.set(inverse.data.subarray(i * d, i * d + to), (i - from) * to);
    return data;
  }

  async function within(type: 'float32' | 'float64', columns: Float32Array | Float64Array, n: number) {
    const { Tensor } = await onnxRuntime();
    const leverages = new Float64Array(n);
    for (const part of parts) {
      const { from, to } = part;
      const size = (to - from) * to;
      const lines = linesOf(part, type === 'float32' ? new Float32Array(size) : new Float64Array(size));
      const run = await session(type, threadsFor(size * n, to * n));
      const { h } = await run.run({
        L: new Tensor(type, lines, [to - from, to]),
        X: new Tensor(type, columns.subarray(0, to * n), [to, n]),
      });
      (h!.data as Float32Array | Float64Array).forEach((value, i) => (leverages[i]! += value));
    }
    return leverages;
  }

  return {
    async leverages({ exact, quick, rows, longest }) {
      if (FLOAT32_ROUNDING * length * longest <= MOST_ERROR) {
        const leverages = await within('float32', quick, rows);
        if (leverages.every((value) => value <= MOST_LEVERAGE)) return leverages;
      }
      return within('float64', exact, rows);
    },
  };
}

/** The largest Euclidean length of a column of (d, n). */
function longestColumn(data: Float32Array | Float64Array, n: number): number {
  const squares = new Float64Array(n);
  for (let at = 0; at < data.length;) for (let i = 0; i < n; i++, at++) squares[i]! += data[at]! ** 2;
  return Math.sqrt(squares.reduce((most, value) => Math.max(most, value), 0));
}
