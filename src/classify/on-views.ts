import { stackedRows, type Rows } from '../core/rows.ts';
import { checkViews } from './checks.ts';
import type { FitContext, FittedHead, Head } from './head.ts';

/**
 * Fits `head` on images of which there are several views: `rows` (n, d) the images themselves, each of `views` the same
 * images in another view, row by row and in the same blocks, y the n labels. Heads that learn by epochs draw one of
 * them an image and epoch; the others train on all of them, n · (1 + views) rows. Throws FIT_INVALID for views of
 * another shape, and what the head's `fit` throws.
 */
export async function fitOnViews(
  head: Head,
  rows: Rows,
  views: readonly Rows[],
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  if (views.length === 0) return head.fit(rows, y, context);
  checkViews(rows, views);
  if (head.drawsViews) return head.fit(rows, y, { ...context, views });
  const all = [rows, ...views];
  return head.fit(
    stackedRows(all),
    all.flatMap(() => y),
    context,
  );
}
