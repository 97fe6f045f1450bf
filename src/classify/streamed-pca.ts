import { PermafrostError } from '../core/errors.ts';
import type { RowSource } from '../core/row-source.ts';
import type { FitContext } from './head.ts';
import { applyPca, checkWidth, componentsOf, MOST, type Pca } from './pca.ts';
import { momentsBytes, momentsOf } from './solvers/row-moments.ts';

/**
 * Bytes that `fitStreamedPca` takes beside the block: the scatter of the columns, its square, and what its directions
 * take.
 */
export const pcaBytes = (cols: number): number => Math.max(momentsBytes(cols), 8 * 3 * cols * cols);

/**
 * As fitPca on rows that are read in blocks: the scatter of the columns from one pass, whatever the number of rows.
 * Throws FIT_INVALID for a width above the number of rows or columns, above 8192 columns, and for values that are not
 * finite; INTERRUPTED.
 */
export async function fitStreamedPca(source: RowSource, width: number, context?: FitContext): Promise<Pca> {
  checkWidth(source, width);
  if (source.cols > MOST) {
    throw new PermafrostError(
      'FIT_INVALID',
      `Principal components of features that are read in streams need at most ${MOST} columns, found ${source.cols}. Use pooled features, or allow more memory.`,
    );
  }
  const { scatter, mean } = await momentsOf(source, new Int32Array(source.rows), Float64Array.of(1), context);
  return componentsOf(scatter, Float32Array.from(mean), width, context);
}

/** Every row of a source on the components. */
export const projectedSource = (source: RowSource, pca: Pca): RowSource => ({
  ...source,
  cols: pca.components.cols,
  read: async (block) => applyPca(pca, await source.read(block)),
});
