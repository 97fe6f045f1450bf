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

/** The design for the smaller of n rows and d columns of X, which is kept, not copied. Throws INTERRUPTED. */
export function designOf(X: Matrix, context?: FitContext): Promise<Design> {
  return inRows(X) ? gramDesign(X, context) : Promise.resolve(columnDesign(X));
}

/** Peak bytes of fits on the design of (rows, cols), without the rows. */
export function designBytes({ rows, cols }: RowsShape): number {
  return directBytes(rows, cols) + (inRows({ rows, cols }) ? gramBytes(rows) : widenedBytes(rows, cols));
}

const inRows = ({ rows, cols }: RowsShape): boolean => rows < cols && rows <= MOST_GRAM_ROWS;

/** Least rows for which another design beats a float32 Gram matrix. */
const LEAST_ROWS = { rough: 512, columns: 2048 };
/**
 * Most C times the rows' mean squared norm. `columns`: a strong penalty conditions the problem well, few products are
 * needed. `rough`: tested up to there.
 */
const MOST_STRENGTH = { rough: 10_000, columns: 16 };
/** Rows, evenly spread, of which their mean squared norm is estimated. */
const SAMPLE = 64;

/**
 * The design for a single fit. Many wide rows and a tolerance for float32: a rough Gram matrix, or d dimensions where
 * 8-bit products do not hold and the penalty is strong. Else `designOf`. On 3,000 x 25,088 (five classes, length 1, C =
 * 100) a rough one takes a third of the CPU time, at 500 rows two thirds, at 245 as much. Throws INTERRUPTED.
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
