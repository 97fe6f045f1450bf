import type { Matrix } from '../../core/matrix.ts';
import { selectRows } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { columnDesign } from './column-design.ts';
import type { Design } from './design.ts';
import { gramDesign } from './gram-design.ts';
import type { StopRule } from './newton-cg.ts';
import { FLOAT32_TOL } from './newton-cg.ts';
import { unitOf } from './problem.ts';

/** Most rows of a Gram matrix: 0.8 GB in its two precisions. Beyond, it would cost more than the fits that it saves. */
export const MOST_GRAM_ROWS = 8192;

/** The design that suits the shape of X (n, d), which is kept, not copied: n dimensions where that is fewer than d. Throws INTERRUPTED. */
export function designOf(X: Matrix, context?: FitContext): Promise<Design> {
  return X.rows < X.cols && X.rows <= MOST_GRAM_ROWS
    ? gramDesign(X, context)
    : Promise.resolve(columnDesign(X));
}

/** From so many wide rows on a Gram matrix, whose cost grows with their square, may cost more than a single fit without it. */
const LEAST_ROWS = 2048;
/** Most C, in units of the rows' mean squared length, with which a fit takes few products with X: a strong penalty conditions the problem well. */
const MOST_STRENGTH = 16;
/** Rows, evenly spread, of which their mean squared length is estimated. */
const SAMPLE = 64;

/**
 * The design for one fit alone: as `designOf`, but for many wide rows, a strong penalty and a tolerance that float32 products reach it is in d
 * dimensions. On 3,000 x 25,088 (five classes, length 1) that took 0.55 (C = 1) to 0.72 (C = 10) of the processor time with the Gram matrix, and as
 * much at C = 100. Throws INTERRUPTED.
 */
export function designForOne(
  X: Matrix,
  { C, tol }: Pick<StopRule, 'tol'> & { readonly C: number },
  context?: FitContext,
): Promise<Design> {
  if (X.rows < LEAST_ROWS || X.rows >= X.cols) return designOf(X, context);
  const some = Array.from({ length: SAMPLE }, (_, i) => Math.floor((i * X.rows) / SAMPLE));
  const { spread } = columnDesign(selectRows(X, some));
  const suits = C * spread <= MOST_STRENGTH && tol >= FLOAT32_TOL * unitOf({ spread });
  return suits ? Promise.resolve(columnDesign(X)) : designOf(X, context);
}
