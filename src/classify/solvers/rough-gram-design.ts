import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { type Columns, type FloatType, timesColumns, transposedTimesColumns } from '../linalg/thin.ts';
import { quickMeans } from './centred-gram.ts';
import type { Design } from './design.ts';
import { gramSpan, normOf, meanDiagonal } from './gram-span.ts';
import { joinedProducts } from './joined-products.ts';
import { roughGram } from './rough-gram.ts';
import { columnSums, largestAbsolute, shiftRows } from '../linalg/vectors.ts';

/** Above this multiple of `tol` a rough norm settles that the largest weight is not small. */
const SETTLED = 256;

/**
 * The design for one fit on many wide rows: as `gramDesign`, with a Gram matrix of 8-bit products for the Hessian. A
 * fit starts at the `rough` design's optimum; its last Newton steps take logits and gradients from X: the optimum is
 * X's. For tolerances of float32 and penalties that are not weak: the matrix must be right to a part of the penalty.
 * Throws INTERRUPTED.
 */
export async function roughGramDesign(X: Matrix, context?: FitContext): Promise<Design> {
  const n = X.rows;
  const gram = await roughGram(X, context);
  const means = new Float64Array(await quickMeans(X));
  const joined = joinedProducts();
  const product = joined((parts: readonly Columns[]) => timesColumns(gram, parts, 'float32'));
  const joinedIn = (precision: FloatType) => ({
    forth: joined((parts: readonly Columns[]) => timesColumns(X, parts, precision)),
    back: joined((parts: readonly Columns[]) => transposedTimesColumns(X, parts, precision)),
  });
  const products = { float32: joinedIn('float32'), float64: joinedIn('float64') };
  /** Xcᵀ·A, (d, k). */
  const weightsOf = (coef: Float64Array, k: number, precision: FloatType): Promise<Float64Array> =>
    products[precision].back({ V: shiftRows(coef.slice(), columnSums(coef, k), -1 / n), k });
  const common = {
    ...gramSpan(X, means),
    meanSquaredNorm: meanDiagonal(gram.data, n),
    gramProduct: (coef: Float64Array, k: number) => product({ V: coef, k }),
  };
  const rough: Design = { ...common, logits: (coef, k) => product({ V: coef, k }) };
  return {
    ...common,
    rough,
    async logits(coef, k, precision) {
      const logits = await products[precision].forth({ V: await weightsOf(coef, k, precision), k });
      return shiftRows(logits, columnSums(logits, k), -1 / n);
    },
    async closer(a, tol) {
      const norm = normOf(a);
      if (norm > SETTLED * tol) return norm;
      return largestAbsolute(await weightsOf(a.coef, a.coef.length / n, 'float32'));
    },
  };
}
