import { type Matrix, matrix } from '../../core/matrix.ts';
import type { Factor } from '../linalg/gemm.ts';
import { type Columns, type Precision, timesColumns, transposedTimesColumns } from '../linalg/thin.ts';
import { columnMeans } from '../normalize.ts';
import { bentColumns } from './bent-rows.ts';
import { curvatureColumns } from './curvature-columns.ts';
import type { Design } from './design.ts';
import { directSteps } from './direct-step.ts';
import { joinedProducts } from './joined-products.ts';
import { addOuter, columnSums, dot, largestAbsolute, shiftRows, weightedRows } from '../linalg/vectors.ts';

/** Up to so many values X is also kept in float64, 128 MiB; above, it is widened block by block in each product. */
export const MOST_WIDENED = 2 ** 24;

/** The inner product of weights needs nothing beside them. */
const NOTHING = new Float64Array(0);

/**
 * The design whose coefficients are the weights themselves: size = d. Xc is never formed: its products are X's, put
 * right.
 */
export function columnDesign(X: Matrix): Design {
  const mean = columnMeans(X);
  const meanSquare = dot(mean, mean);
  let squares = 0;
  for (let at = 0; at < X.data.length; at++) squares += X.data[at]! ** 2;
  // Widened when the first product asks for it: many fits never do.
  let widened: Factor | undefined;
  const factorOf = (precision: Precision): Factor => {
    if (precision === 'float32' || X.data.length > MOST_WIDENED) return X;
    return (widened ??= { rows: X.rows, cols: X.cols, data: new Float64Array(X.data) });
  };
  const forBoth = <T>(make: (precision: Precision) => T) => ({
    float32: make('float32'),
    float64: make('float64'),
  });
  const joined = joinedProducts();
  const curves = joined((parts: Parameters<typeof curvatureColumns>[1]) => curvatureColumns(X, parts));
  const direct = joined(directSteps(X.cols, (scale) => bentColumns(X, mean, scale)));
  const products = forBoth((precision) =>
    joined((parts: readonly Columns[]) => timesColumns(factorOf(precision), parts, precision)),
  );
  const adjoints = forBoth((precision) =>
    joined((parts: readonly Columns[]) => transposedTimesColumns(factorOf(precision), parts, precision)),
  );
  return {
    rows: X.rows,
    size: X.cols,
    meanLength: Math.sqrt(meanSquare),
    spread: Math.max(0, squares / X.rows - meanSquare),
    async scores(coef, k, precision) {
      return shiftRows(await products[precision]({ V: coef, k }), weightedRows(mean, coef, k), -1);
    },
    async adjoint(R, k, precision) {
      return addOuter(await adjoints[precision]({ V: R, k }), -1, mean, columnSums(R, k));
    },
    beside: () => Promise.resolve(NOTHING),
    curvature(here) {
      const bend = here.bend();
      return async ({ coef }, shift) => {
        const k = shift.length;
        const centred = weightedRows(mean, coef, k).map((m, c) => shift[c]! - m);
        const curve = await curves({ V: coef, k, shift: centred, bend });
        return { ...curve, coef: addOuter(curve.coef, -1, mean, curve.sums) };
      };
    },
    direct,
    inner: (a, b) => dot(a.coef, b.coef),
    largest: (a) => Promise.resolve(largestAbsolute(a.coef)),
    weights(coef, k) {
      const weights = matrix(X.cols, k, new Float32Array(coef));
      return Promise.resolve({ weights, meanScores: weightedRows(mean, new Float64Array(weights.data), k) });
    },
  };
}
