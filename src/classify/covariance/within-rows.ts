import type { Matrix } from '../../core/matrix.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { gemm, type Factor } from '../linalg/gemm.ts';
import { inverseCholesky, solveBy } from '../linalg/inverse-cholesky.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { addScaled } from '../linalg/vectors.ts';
import type { ClassMoments } from './class-moments.ts';
import { ledoitWolf, type Covariance, type Shrinkage } from './shrinkage.ts';

/** Columns that are centred at once. */
const COLUMNS = 2048;

/** Bytes of the system of the rows: it, a product of its size, what its inverse takes, and a part of the columns. */
export const rowCovarianceBytes = ({ rows }: RowsShape): number => 8 * (5 * rows * rows + 2 * rows * COLUMNS);

/**
 * The covariance of fewer rows than columns: Σ = Bᵀ·B + D, B the centred rows times sqrt((1 - s_c) / n), D diagonal.
 * Σ⁻¹ = D⁻¹ - D⁻¹·Bᵀ·(I + B·D⁻¹·Bᵀ)⁻¹·B·D⁻¹ (Woodbury 1950) takes a system of n rows. Without any shrinkage Σ is
 * singular.
 */
export async function rowCovariance(
  X: Matrix,
  y: Int32Array,
  moments: ClassMoments,
  shrinkage: Shrinkage,
  context?: FitContext,
): Promise<Covariance> {
  const { rows: n, cols: d } = X;
  const { counts, means, deviations, varying } = moments;
  const shrinkages = Float64Array.from(counts, () => Number(shrinkage));
  const diagonal = new Float64Array(d);
  if (shrinkage === 'auto') {
    for (const [c, rows] of counts.entries()) {
      const own = places(y, c);
      const gram = await gramOf(
        own.length,
        d,
        (from, to) => centred(X, own, y, means, deviations[c]!, from, to),
        context,
      );
      let squares = 0;
      for (const value of gram) squares += (value / rows) ** 2;
      let fourths = 0;
      for (let i = 0; i < rows; i++) fourths += gram[i * rows + i]! ** 2;
      const trace = varying[c]!;
      const shrunk = (shrinkages[c] = ledoitWolf({ rows, cols: d, trace, squares, fourths }));
      for (let j = 0; j < d; j++) diagonal[j]! += (rows / n) * shrunk * (trace / d) * deviations[c]![j]! ** 2;
    }
  } else {
    let squares = 0;
    for (let i = 0, at = 0; i < n; i++)
      for (let j = 0; j < d; j++, at++) squares += (X.data[at]! - means[y[i]!]![j]!) ** 2;
    diagonal.fill((shrinkage * squares) / n / d);
  }
  const all = places(y);
  const roots = diagonal.map(Math.sqrt);
  const weights = Float64Array.from(y, (c) => Math.sqrt((1 - shrinkages[c]!) / n));
  /** Columns [from, to) of B·D^(-1/2). */
  const part = (from: number, to: number): Factor => centred(X, all, y, means, roots, from, to, weights);
  return {
    shrinkages,
    async solve(B, k) {
      if (diagonal.some((value) => !(value > 0))) return undefined;
      const system = await gramOf(n, d, part, context);
      for (let i = 0; i < n; i++) system[i * n + i]! += 1;
      const inverse = await inverseCholesky({ data: system, rows: n, cols: n });
      if (inverse === undefined) return undefined;
      const scaled = B.map((value, at) => value / roots[Math.floor(at / k)]!);
      const products = new Float64Array(n * k);
      for (const [from, to] of columnParts(d))
        addScaled(products, 1, await timesThin(part(from, to), scaled.subarray(from * k, to * k), k, 'float64'));
      const inner = await solveBy(inverse, products, k);
      const out = new Float64Array(d * k);
      for (const [from, to] of columnParts(d))
        out.set(await transposedTimesThin(part(from, to), inner, k, 'float64'), from * k);
      return out.map((value, at) => (scaled[at]! - value) / roots[Math.floor(at / k)]!);
    },
  };
}

/** The rows of class c, or all. */
function places(y: Int32Array, c?: number): number[] {
  const found: number[] = [];
  y.forEach((own, i) => {
    if (c === undefined || own === c) found.push(i);
  });
  return found;
}

const columnParts = (d: number): (readonly [from: number, to: number])[] =>
  Array.from({ length: Math.ceil(d / COLUMNS) }, (_, i) => [i * COLUMNS, Math.min(d, (i + 1) * COLUMNS)]);

/** Z·Zᵀ (rows, rows) of which `part` makes columns, float64. Throws INTERRUPTED. */
async function gramOf(
  rows: number,
  d: number,
  part: (from: number, to: number) => Factor,
  context?: FitContext,
): Promise<Float64Array> {
  const out = new Float64Array(rows * rows);
  for (const [from, to] of columnParts(d)) {
    checkAborted(context);
    const Z = part(from, to);
    addScaled(out, 1, (await gemm('right', Z, Z)).data as Float64Array);
  }
  return out;
}

/** Columns [from, to) of some rows less their class' mean over `scales`, each row times its weight; float64. */
function centred(
  X: Matrix,
  some: readonly number[],
  y: Int32Array,
  means: readonly Float64Array[],
  scales: Float64Array,
  from: number,
  to: number,
  weights?: Float64Array,
): Factor {
  const width = to - from;
  const data = new Float64Array(some.length * width);
  let write = 0;
  for (const place of some) {
    const mean = means[y[place]!]!;
    const weight = weights?.[place] ?? 1;
    const line = place * X.cols;
    for (let j = from; j < to; j++) data[write++] = (weight * (X.data[line + j]! - mean[j]!)) / scales[j]!;
  }
  return { data, rows: some.length, cols: width };
}
