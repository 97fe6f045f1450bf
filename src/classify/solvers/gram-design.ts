import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import type { Square } from '../linalg/inverse-cholesky.ts';
import { type Columns, timesColumns } from '../linalg/thin.ts';
import { activeSpan } from './active-rows.ts';
import { centredGram, quickMeans } from './centred-gram.ts';
import type { Design } from './design.ts';
import { gramSpan, meanDiagonal } from './gram-span.ts';
import { directSteps } from './direct-step.ts';
import { joinedProducts } from './joined-products.ts';

/** Bytes of a Gram matrix of so many rows in its two precisions. */
export const gramBytes = (rows: number): number => 12 * rows ** 2;

/**
 * The design for more columns than rows. The optimum lies in their span, W = Xcᵀ·A (representer theorem: Kimeldorf and
 * Wahba 1971; Schölkopf, Herbrich and Smola 2001). With G = Xc·Xcᵀ a product costs n², not n·d. Coefficients are A
 * (size = n), inner products Aᵀ·G·B. Rows left out have no part in A: one G serves every subset. Throws INTERRUPTED.
 */
export async function gramDesign(X: Matrix, context?: FitContext): Promise<Design> {
  const n = X.rows;
  const mean = await quickMeans(X);
  const gram = { data: await centredGram(X, mean, context), rows: n, cols: n };
  return { ...gramSpan(X, new Float64Array(mean)), ...gramProducts(gram) };
}

/** The products of a design with the Gram matrix of its centred rows (n, n), whose diagonal is raised in place. */
export function gramProducts(
  gram: Square,
): Pick<Design, 'meanSquaredNorm' | 'logits' | 'gramProduct'> & Required<Pick<Design, 'direct'>> {
  const n = gram.rows;
  const meanSquaredNorm = meanDiagonal(gram.data, n);
  // Rounding may leave eigenvalues just below zero where rows depend on each other, and Aᵀ·G·A is no squared length
  // then. Errors of size e in the entries move eigenvalues by about e·sqrt(n).
  const rounding = 2 ** -23 * Math.sqrt(n) * meanSquaredNorm;
  for (let i = 0; i < n; i++) gram.data[i * n + i]! += rounding;
  const rough = { ...gram, data: new Float32Array(gram.data) };
  const joined = joinedProducts();
  const quick = joined((parts: readonly Columns[]) => timesColumns(rough, parts, 'float32'));
  const direct = joined(directSteps(n, (scale) => activeSpan(gram, scale)));
  const exact = joined((parts: readonly Columns[]) => timesColumns(gram, parts, 'float64'));
  return {
    meanSquaredNorm,
    logits: (coef, k, precision) => (precision === 'float32' ? quick : exact)({ V: coef, k }),
    direct,
    gramProduct: (coef, k) => quick({ V: coef, k }),
  };
}
