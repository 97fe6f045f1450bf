import { type Matrix, stacked } from '../core/matrix.ts';
import type { RowSource } from '../core/row-source.ts';
import { checkViews } from './checks.ts';
import type { FitContext, FittedHead, Head } from './head.ts';
import { stackedSource } from './stacked-source.ts';

/**
 * Fits `head` on images of which there are several views: X (n, d) the images themselves, each of `views` another look
 * at them, row by row, and y the n labels. Heads that learn by epochs draw one look an image and epoch; the others
 * train on all of them, n · (1 + views) rows. Throws FIT_INVALID for views of another shape, and what the head's `fit`
 * throws.
 */
export async function fitOnViews(
  head: Head,
  X: Matrix,
  views: readonly Matrix[],
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  if (views.length === 0) return head.fit(X, y, context);
  if (head.drawsViews) return head.fit(X, y, { ...context, views });
  checkViews(X, views);
  const looks = [X, ...views];
  return head.fit(
    stacked(looks),
    looks.flatMap(() => y),
    context,
  );
}

/**
 * As fitOnViews, of a head that can, on rows and views of them that are read block by block. Throws as its `fitStream`.
 */
export async function fitStreamOnViews(
  head: Head & Required<Pick<Head, 'fitStream'>>,
  source: RowSource,
  views: readonly RowSource[],
  y: readonly string[],
  context?: FitContext,
): Promise<FittedHead> {
  if (head.drawsViews) return head.fitStream(source, y, context, views);
  const looks = [source, ...views];
  return head.fitStream(stackedSource(looks), looks.length === 1 ? y : looks.flatMap(() => y), context);
}
