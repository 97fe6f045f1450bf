import { type Matrix, selectRows } from '../../core/matrix.ts';
import type { FitContext, RowsShape } from '../head.ts';
import { integerProductsHold } from '../linalg/integer-products.ts';
import { columnDesign, widenedBytes } from './column-design.ts';
import { interceptScaleOf, type Design } from './design.ts';
import { directBytes } from './direct-step.ts';
import { gramBytes, gramDesign } from './gram-design.ts';
import { roughGramDesign } from './rough-gram-design.ts';
import { type StopRule, FLOAT32_TOL } from './newton-cg.ts';
import { columnStatistics } from './row-statistics.ts';

/** Most rows of a Gram matrix: 0.8 GB in its two precisions. Beyond, it would cost more than the fits that it saves. */
const MOST_GRAM_ROWS = 8192;

/**
 * The design that suits the shape of X (n, d), which is kept, not copied: n dimensions where that is fewer than d.
 * Throws INTERRUPTED.
 */
export function designOf(X: Matrix, context?: FitContext): Promise<Design> {
  return inRows(X) ? gramDesign(X, context) : Promise.resolve(columnDesign(X));
}

/** Bytes that fits on the design of (rows, cols) take at their peak beside the rows. */
export function designBytes({ rows, cols }: RowsShape): number {
  return directBytes(rows, cols) + (inRows({ rows, cols }) ? gramBytes(rows) : widenedBytes(rows, cols));
}

const inRows = ({ rows, cols }: RowsShape): boolean => rows < cols && rows <= MOST_GRAM_ROWS;

/**
 * From so many wide rows on a Gram matrix in float32 costs more than one of 8-bit products and the way from there to
 * the optimum.
 */
const LEAST_ROWS = { rough: 512, columns: 2048 };
/**
 * Most C, in units of the rows' mean squared norm: with `columns` a fit takes few products with X, for a strong
 * penalty conditions the problem well; with `rough` the 8-bit matrix is known to lead to the optimum.
 */
const MOST_STRENGTH = { rough: 10_000, columns: 16 };
/** Rows, evenly spread, of which their mean squared norm is estimated. */
const SAMPLE = 64;

/**
 * The design for one fit alone: as `designOf`, but for many wide rows and a tolerance that float32 products reach with
 * a rough Gram matrix, or, on a processor that does not sum products of 8 bits, in d dimensions where the penalty is
 * strong. On 3,000 x 25,088 (five classes, length 1, C = 100) the rough one takes a third of the processor time of the
 * Gram matrix, at 500 rows two thirds, at 245 as much. Throws INTERRUPTED.
 */
export async function designForOne(
  X: Matrix,
  { C, tol }: Pick<StopRule, 'tol'> & { readonly C: number },
  context?: FitContext,
): Promise<Design> {
  if (X.rows < LEAST_ROWS.rough || X.rows >= X.cols) return designOf(X, context);
  const some = Array.from({ length: SAMPLE }, (_, i) => Math.floor((i * X.rows) / SAMPLE));
  const { meanSquaredNorm } = columnStatistics(selectRows(X, some));
  if (tol < FLOAT32_TOL * interceptScaleOf({ meanSquaredNorm })) return designOf(X, context);
  const suits = (kind: 'rough' | 'columns') => X.rows >= LEAST_ROWS[kind] && C * meanSquaredNorm <= MOST_STRENGTH[kind];
  if (suits('rough') && X.rows <= MOST_GRAM_ROWS && (await integerProductsHold())) return roughGramDesign(X, context);
  return suits('columns') ? columnDesign(X) : designOf(X, context);
}
