import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import type { Factor } from '../gemm.ts';
import type { Precision } from '../linalg-thin.ts';
import { timesColumns, transposedTimesColumns } from '../linalg-thin.ts';
import { columnMeans } from '../normalize.ts';
import type { Design } from './design.ts';
import { joinedProducts } from './joined-products.ts';
import { addOuter, columnSums, dot, largestAbsolute, shiftRows, weightedRows } from './vectors.ts';

/** Up to so many values X is also kept in float64, 128 MiB; above, it is widened block by block in each product. */
export const MOST_WIDENED = 2 ** 24;

/** The design whose coefficients are the weights themselves: size = d. Xc is never formed: its products are X's, put right. */
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
  const products = forBoth((precision) =>
    joinedProducts((parts) => timesColumns(factorOf(precision), parts, precision)),
  );
  const adjoints = forBoth((precision) =>
    joinedProducts((parts) => transposedTimesColumns(factorOf(precision), parts, precision)),
  );
  return {
    rows: X.rows,
    size: X.cols,
    meanLength: Math.sqrt(meanSquare),
    spread: Math.max(0, squares / X.rows - meanSquare),
    async scores(coef, k, precision) {
      return shiftRows(await products[precision](coef, k), weightedRows(mean, coef, k), -1);
    },
    async adjoint(R, k, precision) {
      return addOuter(await adjoints[precision](R, k), -1, mean, columnSums(R, k));
    },
    inner: (a, b) => dot(a.coef, b.coef),
    largest: (a) => largestAbsolute(a.coef),
    weights(coef, k) {
      const weights = matrix(X.cols, k, new Float32Array(coef));
      return Promise.resolve({ weights, meanScores: weightedRows(mean, new Float64Array(weights.data), k) });
    },
  };
}
