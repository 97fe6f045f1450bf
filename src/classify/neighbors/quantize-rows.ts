import type { Matrix } from '../../core/matrix.ts';

/** Rows in 8 bits: value j of row i, over the row's `divisor`, is about step[i] · (data[i·d + j] - zero). */
export interface QuantizedRows {
  readonly data: Int8Array | Uint8Array;
  readonly zero: number;
  readonly steps: Float64Array;
  /** Euclidean length of what each row lost, shape (n). */
  readonly lost: Float64Array;
}

/** Whether any value is below zero; features after a ReLU have none, and all 8 bits are for their size then. */
export function hasNegative({ data }: Matrix): boolean {
  for (let at = 0; at < data.length; at++) if (data[at]! < 0) return true;
  return false;
}

function largestOf(values: Float32Array, start: number, end: number): number {
  let most = 0;
  for (let at = start; at < end; at++) {
    const size = Math.abs(values[at]!);
    if (size > most) most = size;
  }
  return most;
}

/** Steps on either side of zero, or above it where nothing is below. */
const stepsOf = (signed: boolean): number => (signed ? 127 : 255);

/** The one step with which no row of X, each divided by its divisor, is cut off: a float32. */
export function commonStep(X: Matrix, divisors: Float64Array | undefined, signed: boolean): number {
  let most = 0;
  for (let i = 0; i < X.rows; i++) {
    const divisor = divisors === undefined ? 1 : divisors[i]!;
    if (divisor > 0) most = Math.max(most, largestOf(X.data, i * X.cols, (i + 1) * X.cols) / divisor);
  }
  return Math.fround(most / stepsOf(signed));
}

/**
 * Rounds rows of X (n, d), over divisors[i] (0: a row of zeros), to 8 bits of their own scale, or of one `step`: int8
 * from -127, uint8 around 128; where nothing is below zero, int8 from -128 for 0, uint8 from 0.
 */
export function quantizeRows(
  X: Matrix,
  divisors: Float64Array | undefined,
  type: 'int8' | 'uint8',
  signed: boolean,
  step?: number,
): QuantizedRows {
  const data = type === 'int8' ? new Int8Array(X.data.length) : new Uint8Array(X.data.length);
  const zero = (signed ? 0 : -128) + (type === 'int8' ? 0 : 128);
  const most = stepsOf(signed);
  const steps = new Float64Array(X.rows);
  const lost = new Float64Array(X.rows);
  for (let i = 0; i < X.rows; i++) {
    const [start, end] = [i * X.cols, (i + 1) * X.cols];
    const divisor = divisors === undefined ? 1 : divisors[i]!;
    const size = divisor === 0 ? 0 : largestOf(X.data, start, end) / divisor;
    // A float32, as it goes into the graph: what a row loses is then known but for the last bits.
    const scale = divisor === 0 ? 0 : Math.fround(step ?? size / most);
    const factor = scale === 0 ? 0 : 1 / (divisor * scale);
    // Half a unit up and cut: the nearest integer, of what was moved above zero.
    const up = 128.5;
    let squares = 0;
    for (let at = start; at < end; at++) {
      const exact = X.data[at]! * factor;
      const rounded = Math.min(most, ((exact + up) | 0) - 128);
      const off = exact - rounded;
      squares += off * off;
      data[at] = rounded + zero;
    }
    steps[i] = scale;
    // Without a step (the row is of zeros, or too small for a float32) all of it is lost.
    lost[i] = scale === 0 ? size * Math.sqrt(X.cols) : Math.sqrt(squares) * scale;
  }
  return { data, zero, steps, lost };
}
