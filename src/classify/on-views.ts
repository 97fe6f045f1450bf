import { stackedRows, type Rows } from '../core/rows.ts';
import { checkViews } from './checks.ts';
import type { FitContext, FittedHead, Head } from './head.ts';

/**
 * Fits `head` on images (n, d) and the same images in other `views`, row by row and in the same blocks; y: n labels.
 * Heads that learn by epochs draw a view an image and epoch; others train on all n · (1 + views) rows. Throws
 * FIT_INVALID for views of another shape, and what the head's `fit` throws.
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
    { ...context, images: Int32Array.from({ length: all.length * rows.rows }, (_, i) => i % rows.rows) },
  );
}
