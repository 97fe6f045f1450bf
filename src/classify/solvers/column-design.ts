import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import { timesThin, transposedTimesThin } from '../linalg-thin.ts';
import { columnMeans } from '../normalize.ts';
import type { Design } from './design.ts';
import { addOuter, columnSums, dot, largestAbsolute, shiftRows, weightedRows } from './vectors.ts';

/** The design whose coefficients are the weights themselves: size = d. Xc is never formed: its products are X's, put right. */
export function columnDesign(X: Matrix): Design {
  const mean = columnMeans(X);
  const meanSquare = dot(mean, mean);
  let squares = 0;
  for (let at = 0; at < X.data.length; at++) squares += X.data[at]! ** 2;
  return {
    rows: X.rows,
    size: X.cols,
    meanLength: Math.sqrt(meanSquare),
    spread: Math.max(0, squares / X.rows - meanSquare),
    async scores(coef, k, precision) {
      return shiftRows(await timesThin(X, coef, k, precision), weightedRows(mean, coef, k), -1);
    },
    async adjoint(R, k, precision) {
      return addOuter(await transposedTimesThin(X, R, k, precision), -1, mean, columnSums(R, k));
    },
    inner: (a, b) => dot(a.coef, b.coef),
    largest: (a) => largestAbsolute(a.coef),
    weights: (coef, k) =>
      Promise.resolve({
        weights: matrix(X.cols, k, new Float32Array(coef)),
        meanScores: weightedRows(mean, coef, k),
      }),
  };
}
