import { type Matrix, matrix, selectRows } from '../../core/matrix.ts';
import { blocksOf, matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { gemm } from '../linalg/gemm.ts';
import { product, solveBy, type Square } from '../linalg/inverse-cholesky.ts';
import { transposedTimesThin } from '../linalg/thin.ts';
import { addScaled } from '../linalg/vectors.ts';
import { designBytes } from '../solvers/choose-design.ts';
import { classWeights } from '../solvers/class-weights.ts';
import { positivesOf } from '../solvers/linear-problems.ts';
import { factor } from '../solvers/ridge-system.ts';
import { sampleBytes } from '../solvers/row-sample.ts';
import { type Gamma, medianGamma, spreadRows } from './gamma.ts';
import { crossKernel, kernelParts, type KernelWidth } from './kernel-graphs.ts';
import { kernelMatrix } from './kernel-matrix.ts';
import type { KernelTask } from './kernel-ridge.ts';
import { landmarkBytes, landmarksOf } from './landmarks.ts';
import { squaredDistances } from './squared-distances.ts';

/**
 * The kernel seen from m landmarks: exp(-gamma·d²) is about φ(x)·φ(z)ᵀ with φ(x) = k(x, Z)·L⁻ᵀ, K_ZZ = L·Lᵀ (Williams
 * and Seeger 2001, "Using the Nyström method to speed up kernel machines"; L⁻ᵀ is K_ZZ's inverse root but for a
 * rotation, which no L2 penalty sees).
 */
export interface NystroemMap extends KernelWidth {
  /** Shape (m, d). */
  readonly Z: Matrix;
  /** L⁻¹, shape (m, m). */
  readonly inverse: Square;
  /** Rows that the landmarks were found in. */
  readonly sampled: number;
}

/** Added to the diagonal of K_ZZ, whose entries float32 leaves off by some 1e-7: landmarks may lie close together. */
const JITTER = 1e-5;
/** Mapped values that are kept in memory: 256 MiB. Above, rows are mapped again in each pass. */
const MOST_KEPT = 2 ** 26;

/** Bytes of a map with `count` landmarks on (rows, cols): landmarks, sample, factors, and one run of kernel values. */
export const mapBytes = (count: number, shape: RowsShape): number =>
  landmarkBytes(count, shape) + 8 * 5 * count ** 2 + 2 ** 26;

/** Bytes of mapped rows (rows, cols) and of a linear fit on them. */
export const mappedBytes = (shape: RowsShape): number =>
  shape.rows * shape.cols <= MOST_KEPT ? 4 * shape.rows * shape.cols + designBytes(shape) : sampleBytes(shape);

/** Landmarks of the rows and what maps a row to m features. Throws FIT_INVALID, INTERRUPTED, reading errors. */
export async function nystroemMap(
  rows: Rows,
  { gamma, nComponents, seed }: { readonly gamma: Gamma; readonly nComponents: number; readonly seed: number },
  context?: FitContext,
): Promise<NystroemMap> {
  const { Z, sample, centre } = await landmarksOf(rows, nComponents, seed, context);
  const some = selectRows(sample, spreadRows(sample.rows));
  const width = gamma === 'median' ? medianGamma(await squaredDistances(matrixRows(some), context)) : gamma;
  const K = kernelMatrix(await squaredDistances(matrixRows(Z), context), width);
  return { Z, centre, gamma: width, sampled: sample.rows, inverse: await factor(K.data, Z.rows, JITTER) };
}

/** The m features of rows, shape (n, m): in memory where they are few enough, else mapped as blocks are read. */
export async function mappedRows(map: NystroemMap, rows: Rows): Promise<Rows> {
  const m = map.Z.rows;
  if (rows.rows * m > MOST_KEPT) {
    return {
      rows: rows.rows,
      cols: m,
      starts: rows.starts,
      read: async (block) => mapped(map, await rows.read(block)),
    };
  }
  const all = matrix(rows.rows, m);
  for await (const { start, X } of blocksOf(rows)) all.data.set((await mapped(map, X)).data, start * m);
  return matrixRows(all);
}

async function mapped(map: NystroemMap, X: Matrix): Promise<Matrix> {
  const m = map.Z.rows;
  const out = matrix(X.rows, m);
  for (const { start, part } of kernelParts(X, m)) {
    out.data.set((await gemm('right', await crossKernel(part, map.Z, map), map.inverse)).data, start * m);
  }
  return out;
}

/** The coefficients of the landmarks (m, k) of a linear function with weights W (m, k) of the mapped features. */
export const landmarkCoefficients = (map: NystroemMap, W: Float64Array, k: number): Promise<Float64Array> =>
  transposedTimesThin(map.inverse, W, k, 'float64');

/**
 * Ridge regression on the mapped features without an intercept, as `kernelSystem` on all rows: weights (m, k) in one
 * pass over the rows. Throws FIT_INVALID where the system is singular to rounding, INTERRUPTED, reading errors.
 */
export async function nystroemRidge(
  map: NystroemMap,
  rows: Rows,
  { y, classes, classWeight }: KernelTask,
  alpha: number,
  context?: FitContext,
): Promise<{ readonly W: Float64Array; readonly k: number }> {
  const m = map.Z.rows;
  const byClass = classWeights(y, classes, classWeight);
  const positives = positivesOf(classes);
  const k = positives.length;
  // Sums of kernel values; the factor of K_ZZ is applied to both sides of the sum, not to each row.
  const squares = new Float64Array(m * m);
  const cross = new Float64Array(m * k);
  for await (const { start, X } of blocksOf(rows)) {
    for (const { start: from, part } of kernelParts(X, m)) {
      checkAborted(context);
      const K = await crossKernel(part, map.Z, map);
      const labels = y.subarray(start + from, start + from + part.rows);
      scaleRows(K, labels, byClass);
      const T = new Float64Array(part.rows * k);
      for (let i = 0, at = 0; i < part.rows; i++) {
        const root = Math.sqrt(byClass[labels[i]!]!);
        for (const positive of positives) T[at++] = labels[i] === positive ? root : -root;
      }
      addScaled(squares, 1, (await product('left', K, K)).data);
      addScaled(cross, 1, await transposedTimesThin(K, T, k, 'float64'));
    }
  }
  const half = await product('neither', map.inverse, { data: squares, rows: m, cols: m });
  const S = await product('right', half, map.inverse);
  const right = await product('neither', map.inverse, { data: cross, rows: m, cols: k });
  return { W: await solveBy(await factor(S.data, m, alpha), right.data, k), k };
}

/** Each row times the root of its class' weight, in place. */
function scaleRows({ data, cols }: Square, labels: Int32Array, byClass: Float64Array): void {
  if (byClass.every((weight) => weight === 1)) return;
  labels.forEach((c, i) => {
    const root = Math.sqrt(byClass[c]!);
    for (let at = i * cols; at < (i + 1) * cols; at++) data[at]! *= root;
  });
}
