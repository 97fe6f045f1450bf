import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { gemm } from './gemm.ts';
import type { Square } from './inverse-cholesky.ts';
import { addScaled, dot } from './vectors.ts';

/** A symmetric A (n, n) as Bᵀ·T·B, B orthogonal and T zero but for its diagonal and the two next to it; float64. */
export interface Tridiagonal {
  /** Shape (n). */
  readonly diagonal: Float64Array;
  /** T's entries left of the diagonal, shape (n), the first one 0. */
  readonly subdiagonal: Float64Array;
  /** B, shape (n, n). */
  readonly basis: Square;
}

/** Reflections that are multiplied into the basis at once. */
const BLOCK = 64;
/** Multiplications between two turns of the event loop: some tenths of a second. */
const TURN = 2 ** 27;

/**
 * Householder's tridiagonal form of the symmetric A, of which the lower triangle is read and all is overwritten (Golub
 * and Van Loan 2013, 8.3.1). Plain loops on one thread: 0.05 s for 512 rows, 0.4 s for 1,000. Throws INTERRUPTED.
 */
export async function tridiagonalOf(A: Square, context?: FitContext): Promise<Tridiagonal> {
  const { data, rows: n } = A;
  const [diagonal, subdiagonal] = [new Float64Array(n), new Float64Array(n)];
  // H = 1 - u·uᵀ takes A to A - u·pᵀ - p·uᵀ, which is put off: the next pass over A does it on its way.
  let last: Update = { u: new Float64Array(n), q: new Float64Array(n) };
  for (let i = n - 1, work = 0; i >= 0; i--) {
    const row = data.subarray(i * n, i * n + i + 1);
    takeOff(row, last);
    diagonal[i] = row[i]!;
    const line = row.subarray(0, i);
    if (i > 0) subdiagonal[i] = reflect(line);
    last = { u: line, q: updateOf(data, n, last, line) };
    if ((work += 2 * i * i) > TURN) {
      work = 0;
      await new Promise((resolve) => setImmediate(resolve));
      checkAborted(context);
    }
  }
  return { diagonal, subdiagonal, basis: await basisOf(A, context) };
}

/** x becomes u, of length √2, with (1 - u·uᵀ)·x zero but for the last number, which is returned; u 0 where x is so. */
function reflect(x: Float64Array): number {
  const last = x.length - 1;
  const end = x[last]!;
  const squares = dot(x, x) - end * end;
  if (!(squares > 0)) {
    x.fill(0);
    return end;
  }
  const result = (end > 0 ? -1 : 1) * Math.sqrt(squares + end * end);
  x[last] = end - result;
  const scale = Math.sqrt(2 / (squares + x[last] ** 2));
  for (let k = 0; k <= last; k++) x[k]! *= scale;
  return result;
}

/** What is put off for A: u·qᵀ + q·uᵀ is to be taken off it. */
interface Update {
  readonly u: Float64Array;
  readonly q: Float64Array;
}

/** Takes it off the last line that it has. */
function takeOff(line: Float64Array, { u, q }: Update): void {
  const last = line.length - 1;
  addScaled(line, -u[last]!, q);
  addScaled(line, -q[last]!, u);
}

/** Takes the last update off the lines above, and returns q of the next, whose u is given: p - (u·p / 2)·u, p = A·u. */
function updateOf(A: Float64Array, n: number, last: Update, u: Float64Array): Float64Array {
  const p = pass(A, n, last, u);
  addScaled(p, -dot(u, p) / 2, u);
  return p;
}

/** Takes it off the first lines of A, as many as `next` is long, and returns p = A·next. */
function pass(A: Float64Array, n: number, { u, q }: Update, next: Float64Array): Float64Array {
  const p = new Float64Array(next.length);
  // Two lines at a time take half of the time of one; of an odd number the first has but its diagonal.
  const odd = next.length % 2;
  if (odd === 1) p[0] = (A[0]! -= 2 * u[0]! * q[0]!) * next[0]!;
  for (let r = odd; r < next.length; r += 2) passTwo(A, r * n, (r + 1) * n, r, u, q, next, p);
  return p;
}

/** Lines r and r + 1, which begin at `one` and `two`; by symmetry they are columns as well. */
function passTwo(
  A: Float64Array,
  one: number,
  two: number,
  r: number,
  u: Float64Array,
  q: Float64Array,
  next: Float64Array,
  p: Float64Array,
): void {
  const [u1, q1, next1] = [u[r]!, q[r]!, next[r]!];
  const [u2, q2, next2] = [u[r + 1]!, q[r + 1]!, next[r + 1]!];
  let [sum1, sum2] = [0, 0];
  for (let k = 0; k < r; k++) {
    const value1 = A[one + k]! - u1 * q[k]! - q1 * u[k]!;
    const value2 = A[two + k]! - u2 * q[k]! - q2 * u[k]!;
    A[one + k] = value1;
    A[two + k] = value2;
    sum1 += value1 * next[k]!;
    sum2 += value2 * next[k]!;
    p[k]! += value1 * next1 + value2 * next2;
  }
  const own1 = (A[one + r]! -= 2 * u1 * q1);
  const between = (A[two + r]! -= u2 * q1 + q2 * u1);
  const own2 = (A[two + r + 1]! -= 2 * u2 * q2);
  p[r]! += sum1 + own1 * next1 + between * next2;
  p[r + 1]! += sum2 + between * next1 + own2 * next2;
}

/**
 * H₁·H₂·…·Hₙ₋₁ of the reflections in the lines of A. Blocks of them are 1 - Uᵀ·M⁻¹·U, M the lower triangle of U·Uᵀ with
 * ones on its diagonal (Puglisi 1992): so the runtime's product does the work.
 */
async function basisOf({ data, rows: n }: Square, context?: FitContext): Promise<Square> {
  let basis: Square = { data: Float64Array.of(1), rows: 1, cols: 1 };
  for (let from = 1; from < n; from += BLOCK) {
    checkAborted(context);
    const to = Math.min(n, from + BLOCK);
    basis = widened(basis, to);
    const U = { data: new Float64Array((to - from) * to), rows: to - from, cols: to };
    for (let i = from; i < to; i++) U.data.set(data.subarray(i * n, i * n + i), (i - from) * to);
    const turned = await gemm('right', basis, U);
    const within = solveRight(turned.data as Float64Array, (await gemm('right', U, U)).data as Float64Array, U.rows);
    const change = await gemm('neither', { ...turned, data: within }, U);
    addScaled(basis.data, -1, change.data as Float64Array);
  }
  return basis;
}

/** The square with lines and columns of the identity up to `size`. */
function widened({ data, rows }: Square, size: number): Square {
  const out = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    if (i < rows) out.set(data.subarray(i * rows, (i + 1) * rows), i * size);
    else out[i * size + i] = 1;
  }
  return { data: out, rows: size, cols: size };
}

/** Each line x of X (·, b) becomes x·M⁻¹, M upper triangular with ones on its diagonal. */
function solveRight(X: Float64Array, M: Float64Array, b: number): Float64Array {
  for (let at = 0; at < X.length; at += b) {
    for (let j = 1; j < b; j++) {
      let sum = X[at + j]!;
      for (let k = 0; k < j; k++) sum -= X[at + k]! * M[k * b + j]!;
      X[at + j] = sum;
    }
  }
  return X;
}

/** A + alpha in terms of T, T + alpha = L·D·Lᵀ. */
export interface Shifted {
  /** (T + alpha)⁻¹·X, X (n, k). */
  solve(X: Float64Array, k: number): Float64Array;
  /** xᵀ·(T + alpha)⁻¹·x of each column x of X (n, k), shape (k). */
  squares(X: Float64Array, k: number): Float64Array;
}

/** For an alpha that leaves A + alpha positive to rounding; else undefined. Each column then costs n, not n². */
export function shifted(
  { diagonal, subdiagonal }: Pick<Tridiagonal, 'diagonal' | 'subdiagonal'>,
  alpha: number,
): Shifted | undefined {
  const n = diagonal.length;
  const [pivots, below] = [new Float64Array(n), new Float64Array(n)];
  for (let i = 0; i < n; i++) {
    if (i > 0) below[i] = subdiagonal[i]! / pivots[i - 1]!;
    pivots[i] = diagonal[i]! + alpha - below[i]! * subdiagonal[i]!;
    if (!(pivots[i]! > 0)) return undefined;
  }
  return {
    solve(X, k) {
      const out = X.slice();
      for (let at = k; at < out.length; at++) out[at]! -= below[Math.floor(at / k)]! * out[at - k]!;
      for (let at = out.length - 1; at >= 0; at--) {
        const i = Math.floor(at / k);
        out[at]! /= pivots[i]!;
        if (i + 1 < n) out[at]! -= below[i + 1]! * out[at + k]!;
      }
      return out;
    },
    squares(X, k) {
      const [line, sums] = [new Float64Array(k), new Float64Array(k)];
      for (let i = 0; i < n; i++) addSquares(sums, line, X, i * k, below[i]!, 1 / pivots[i]!);
      return sums;
    },
  };
}

/** One step of L⁻¹·X: `line` becomes the line of X at `at` less `below` times itself; its squares go to the sums. */
function addSquares(
  sums: Float64Array,
  line: Float64Array,
  X: Float64Array,
  at: number,
  below: number,
  weight: number,
): void {
  for (let c = 0; c < line.length; c++) {
    const value = X[at + c]! - below * line[c]!;
    line[c] = value;
    sums[c]! += weight * value * value;
  }
}
