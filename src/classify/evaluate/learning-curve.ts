import { PermafrostError } from '../../core/errors.ts';
import { type Matrix, selectRows } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { random } from '../../core/random.ts';
import type { FitContext, Head } from '../head.ts';
import { encodeLabels } from '../labels.ts';
import { accuracy, topClass } from './metrics.ts';

/** Features, shape (n, d), and the class name of each row. */
export interface LabelledRows {
  readonly X: Matrix;
  readonly y: readonly string[];
}

/** How good a head is when it is trained on so many rows. */
export interface LearningPoint {
  readonly rows: number;
  /** On the validation rows, one of each repeat. */
  readonly accuracies: readonly number[];
  /** Their mean. */
  readonly accuracy: number;
}

/**
 * Accuracy on `val` by the number of training rows, each a stratified, seeded subset of the next. X are normalised.
 * Throws FIT_INVALID for a size above the number of rows, or that lacks a class; what the head throws.
 */
export async function learningCurve(
  head: Head,
  train: LabelledRows,
  val: LabelledRows,
  { sizes, repeats, seed }: { readonly sizes: readonly number[]; readonly repeats: number; readonly seed: number },
  context?: FitContext,
): Promise<LearningPoint[]> {
  const { classes } = encodeLabels(train.y);
  const truth = encodeLabels(val.y, classes).indices;
  const orders = Array.from({ length: repeats }, (_, repeat) => stratifiedOrder(train.y, seed + repeat));
  for (const rows of sizes) {
    for (const order of orders) checkSubset(train.y, order, rows, classes.length);
  }
  const points: LearningPoint[] = [];
  for (const rows of sizes) {
    const accuracies: number[] = [];
    for (const order of orders) {
      const some = order.slice(0, rows).sort((a, b) => a - b);
      const fitted = await head.fit(
        matrixRows(selectRows(train.X, some)),
        some.map((i) => train.y[i]!),
        context,
      );
      accuracies.push(accuracy(truth, topClass(await fitted.predictProba(val.X))));
    }
    const mean = accuracies.reduce((sum, value) => sum + value, 0) / repeats;
    points.push({ rows, accuracies, accuracy: mean });
  }
  return points;
}

/** All rows in an order of which every beginning holds the classes in about their shares. */
export function stratifiedOrder(y: readonly string[], seed: number): number[] {
  const { classes, indices } = encodeLabels(y);
  const source = random(seed);
  const ordered = classes.flatMap((_, c) => {
    const rows = Array.from(indices.keys()).filter((i) => indices[i] === c);
    return source.shuffle(rows).map((i, at) => ({ i, at: (at + 0.5) / rows.length, c }));
  });
  return ordered.sort((a, b) => a.at - b.at || a.c - b.c).map(({ i }) => i);
}

function checkSubset(y: readonly string[], order: readonly number[], rows: number, classes: number): void {
  const present = new Set(order.slice(0, rows).map((i) => y[i]!));
  if (Number.isInteger(rows) && rows <= y.length && present.size === classes) return;
  throw new PermafrostError(
    'FIT_INVALID',
    `A learning curve at ${rows} of ${y.length} rows would see ${present.size} of ${classes} classes. Choose sizes from one row a class to all rows.`,
  );
}
