import { matrix, type Matrix } from '../../core/matrix.ts';
import type { Factor } from '../linalg/gemm.ts';
import { timesColumns, transposedTimesColumns, type Columns, type FloatType } from '../linalg/thin.ts';
import { addOuter, columnSums, dot, largestAbsolute, shiftRows, weightedRows } from '../linalg/vectors.ts';
import { activeColumns } from './active-rows.ts';
import type { Design } from './design.ts';
import { directSteps } from './direct-step.ts';
import { hessianColumns, type HessianRequest } from './hessian-columns.ts';
import { joinedProducts } from './joined-products.ts';
import { columnStatistics, type ColumnStatistics } from './row-statistics.ts';

/** Up to so many values X is also kept in float64, 128 MiB; above, it is widened block by block in each product. */
const MOST_WIDENED = 2 ** 24;

/** Bytes of X (rows, cols) in float64, which a design keeps where products are float64. */
export const widenedBytes = (rows: number, cols: number): number => (rows * cols <= MOST_WIDENED ? 8 * rows * cols : 0);

/** The inner product of weights needs no logits. */
const NO_LOGITS = new Float64Array(0);

/**
 * The design whose coefficients are the weights (size = d). Xc is never formed: products of X are corrected. Where X is
 * a sample, the statistics are those of all rows and `joined` is the queue that it shares.
 */
export function columnDesign(
  X: Matrix,
  { mean, meanSquaredNorm }: ColumnStatistics = columnStatistics(X),
  joined = joinedProducts(),
): Design {
  // Widened when the first product asks for it: many fits never do.
  let widened: Factor | undefined;
  const factorOf = (precision: FloatType): Factor => {
    if (precision === 'float32' || X.data.length > MOST_WIDENED) return X;
    return (widened ??= { rows: X.rows, cols: X.cols, data: new Float64Array(X.data) });
  };
  const forBoth = <T>(make: (precision: FloatType) => T) => ({ float32: make('float32'), float64: make('float64') });
  const hessians = joined((parts: readonly HessianRequest[]) => hessianColumns(X, parts));
  const direct = joined(directSteps(X.cols, (scale) => activeColumns(X, mean, scale)));
  const products = forBoth((precision) =>
    joined((parts: readonly Columns[]) => timesColumns(factorOf(precision), parts, precision)),
  );
  const adjoints = forBoth((precision) =>
    joined((parts: readonly Columns[]) => transposedTimesColumns(factorOf(precision), parts, precision)),
  );
  return {
    rows: X.rows,
    size: X.cols,
    meanNorm: Math.sqrt(dot(mean, mean)),
    meanSquaredNorm,
    async logits(coef, k, precision) {
      return shiftRows(await products[precision]({ V: coef, k }), weightedRows(mean, coef, k), -1);
    },
    async adjoint(R, k, precision) {
      return addOuter(await adjoints[precision]({ V: R, k }), -1, mean, columnSums(R, k));
    },
    gramProduct: () => Promise.resolve(NO_LOGITS),
    hessian(here) {
      const pointwise = here.pointwiseHessian();
      return async ({ coef }, shift) => {
        const k = shift.length;
        const centred = weightedRows(mean, coef, k).map((m, c) => shift[c]! - m);
        const product = await hessians({ V: coef, k, shift: centred, pointwise });
        return { ...product, coef: addOuter(product.coef, -1, mean, product.sums) };
      };
    },
    direct,
    inner: (a, b) => dot(a.coef, b.coef),
    largest: (a) => largestAbsolute(a.coef),
    weights(coef, k) {
      const weights = matrix(mean.length, k, new Float32Array(coef));
      return Promise.resolve({ weights, meanLogits: weightedRows(mean, new Float64Array(weights.data), k) });
    },
  };
}
