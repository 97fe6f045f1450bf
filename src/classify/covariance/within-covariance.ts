import { PermafrostError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { classMoments, type ClassMoments } from './class-moments.ts';
import type { Covariance, Shrinkage } from './shrinkage.ts';
import { columnCovariance, columnCovarianceBytes } from './within-columns.ts';
import { rowCovariance, rowCovarianceBytes } from './within-rows.ts';

/** The largest system that is factorised: 0.5 GB. */
const MOST = 8192;

/** With fewer rows than columns the system of the rows is solved: it is the smaller one. */
const isWide = ({ rows, cols }: RowsShape, inMemory: boolean): boolean => inMemory && rows < cols;

/** Bytes that `withinCovariance` and its solution take besides the rows, or a block of them. */
export function covarianceBytes({ inMemory, ...shape }: RowsShape & { readonly inMemory: boolean }): number {
  return isWide(shape, inMemory) ? rowCovarianceBytes(shape) : columnCovarianceBytes(shape.cols, inMemory);
}

/**
 * The covariance within classes of rows (n, d), as scikit-learn's LinearDiscriminantAnalysis takes it: S_c of the rows
 * of class c (divided by their number), T_c the mean variance times the identity; for `auto` both on columns of
 * variance 1, each turned back by its deviation. Undefined where no class varies. Throws FIT_INVALID for more than
 * 8192 rows and columns, INTERRUPTED.
 */
export async function withinCovariance(
  rows: Rows,
  y: Int32Array,
  classes: number,
  shrinkage: Shrinkage,
  context?: FitContext,
): Promise<{ readonly moments: ClassMoments; readonly covariance: Covariance | undefined }> {
  const { matrix: X, cols: d } = rows;
  const wide = isWide(rows, X !== undefined);
  if ((wide ? rows.rows : d) > MOST) {
    throw new PermafrostError(
      'FIT_INVALID',
      `A covariance needs at most ${MOST} ${X === undefined ? 'columns of features that are read in streams' : 'rows or columns'}, these features have ${rows.rows} and ${d}. Use pooled features, or principal components (pca).`,
    );
  }
  const moments = await classMoments(rows, y, classes, context);
  if (moments.varying.every((columns) => columns === 0)) return { moments, covariance: undefined };
  const covariance =
    wide && X !== undefined
      ? await rowCovariance(X, y, moments, shrinkage, context)
      : await columnCovariance(rows, y, moments, shrinkage, context);
  return { moments, covariance };
}
