import { PermafrostError } from '../core/errors.ts';
import type { Matrix } from '../core/matrix.ts';
import type { Rows } from '../core/rows.ts';
import type { FitContext } from './head.ts';
import { type EncodedLabels, encodeLabels } from './labels.ts';

/** Throws FIT_INVALID, naming the first place, when X has NaN or an infinity; `start`: the number of its first row. */
export function checkFinite(X: Matrix, start = 0): void {
  // x * 0 is 0 for finite x, else NaN: one branch-free pass tells whether there is anything to find.
  let probe = 0;
  for (let i = 0; i < X.data.length; i++) probe += X.data[i]! * 0;
  if (probe === 0) return;
  const at = X.data.findIndex((value) => !Number.isFinite(value));
  throw new PermafrostError(
    'FIT_INVALID',
    `Row ${start + Math.floor(at / X.cols)}, column ${at % X.cols} of the features is ${X.data[at]}; all must be finite. Run "permafrost verify" on the store, and extract in float32 if the features overflowed.`,
  );
}

/**
 * What every head checks before it fits X (n, d) on n labels; returns them as indices. Throws FIT_INVALID for lengths
 * that differ, no columns, fewer than two classes, NaN or infinite features.
 */
export function checkFit(X: Matrix, y: readonly string[]): EncodedLabels {
  const labels = checkLabels(X, y);
  checkFinite(X);
  return labels;
}

/** `checkFit` but for the values: for rows that are read in blocks. Throws FIT_INVALID. */
export function checkLabels(X: { readonly rows: number; readonly cols: number }, y: readonly string[]): EncodedLabels {
  if (X.rows !== y.length) {
    throw new PermafrostError(
      'FIT_INVALID',
      `There are ${X.rows} rows of features and ${y.length} labels; each row needs one label.`,
    );
  }
  const labels = encodeLabels(y);
  if (labels.classes.length < 2) {
    const found = labels.classes.length === 0 ? 'none' : JSON.stringify(labels.classes[0]);
    throw new PermafrostError(
      'FIT_INVALID',
      `A head needs rows of two classes or more, found ${found} in ${y.length} rows. Add images of another class.`,
    );
  }
  if (X.cols === 0) throw new PermafrostError('FIT_INVALID', 'The features have no columns.');
  return labels;
}

/** The same rows; a block's first read throws FIT_INVALID for values that are not finite. */
export function checkedRows(rows: Rows): Rows {
  const isChecked = new Uint8Array(rows.starts.length);
  return {
    ...rows,
    async read(block, scales) {
      const X = await rows.read(block, scales);
      if (isChecked[block] === 0) checkFinite(X, rows.starts[block]);
      isChecked[block] = 1;
      return X;
    },
  };
}

/** Throws FIT_INVALID for a view that has not a row for each of the rows, in the same blocks. */
export function checkViews({ rows, cols, starts }: Rows, views: readonly Rows[]): void {
  for (const [v, view] of views.entries()) {
    if (view.rows === rows && view.cols === cols && starts.every((at, b) => at === view.starts[b])) continue;
    throw new PermafrostError(
      'FIT_INVALID',
      `View ${v + 1} has ${view.rows} x ${view.cols} features; it needs a row for each of the ${rows} images and their ${cols} columns, in the same blocks.`,
    );
  }
}

/** The matrix, for what cannot be done in blocks. Throws FIT_INVALID, with the reason, where there is none. */
export function requireMatrix(owner: string, { matrix }: Rows, reason: string): Matrix {
  if (matrix !== undefined) return matrix;
  throw new PermafrostError(
    'FIT_INVALID',
    `${owner} cannot be fitted on rows that are read in blocks: ${reason}. Give it a matrix (matrixRows).`,
  );
}

/** Throws FIT_INVALID when X has not `features` columns, or values that are not finite. `owner` names who asks. */
export function checkPredict(owner: string, X: Matrix, features: number): void {
  if (X.cols !== features) {
    throw new PermafrostError(
      'FIT_INVALID',
      `${owner} was fitted on ${features} features a row, these rows have ${X.cols}. Use the cut layer, pooling and backbone that it was trained on.`,
    );
  }
  checkFinite(X);
}

/** Throws FIT_INVALID when fewer than `nNeighbors` training rows are there to vote. */
export function checkNeighbors(nNeighbors: number, rows: number): void {
  if (nNeighbors > rows) {
    throw new PermafrostError(
      'FIT_INVALID',
      `nNeighbors is ${nNeighbors}, and there are ${rows} training rows. Lower nNeighbors or add images.`,
    );
  }
}

/** Throws INTERRUPTED when the fit was aborted. */
export function checkAborted(context: FitContext | undefined): void {
  if (context?.signal?.aborted === true) {
    throw new PermafrostError('INTERRUPTED', 'The fit was interrupted.', { cause: context.signal.reason });
  }
}
