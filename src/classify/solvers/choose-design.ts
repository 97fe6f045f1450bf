import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { columnDesign } from './column-design.ts';
import type { Design } from './design.ts';
import { gramDesign } from './gram-design.ts';

/** Most rows of a Gram matrix: 0.8 GB in its two precisions. Beyond, it would cost more than the fits that it saves. */
const MOST_GRAM_ROWS = 8192;

/** The design that suits the shape of X (n, d), which is kept, not copied: n dimensions where that is fewer than d. Throws INTERRUPTED. */
export function designOf(X: Matrix, context?: FitContext): Promise<Design> {
  return X.rows < X.cols && X.rows <= MOST_GRAM_ROWS
    ? gramDesign(X, context)
    : Promise.resolve(columnDesign(X));
}
