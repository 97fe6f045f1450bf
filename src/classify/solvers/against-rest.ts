import { countClasses } from '../labels.ts';
import type { Loss, LossByParts } from './loss.ts';
import { squaredErrorLoss, squaredHingeLoss } from './margin-losses.ts';

/** Losses of one score, whose problems for three classes or more are one class against the rest. */
export type MarginLoss = 'squaredHinge' | 'squaredError';

/** The class that each problem tells from the rest: of two classes the second, of more each in turn. */
export function positivesOf(classes: number): readonly number[] {
  return classes === 2 ? [1] : Array.from({ length: classes }, (_, c) => c);
}

/**
 * What a row of class c weighs in the problem of the class `positive`: LIBLINEAR weighs only the one class where there
 * is a rest (LinearSVC), RidgeClassifier weighs every row by its class.
 */
export function weightAgainstRest(
  loss: MarginLoss,
  byClass: Float64Array,
  positive: number,
  c: number,
): number {
  return loss === 'squaredHinge' && byClass.length > 2 && c !== positive ? 1 : byClass[c]!;
}

/**
 * The problems of all classes as one: a column of scores each, their losses added up. Every loss is divided by the same
 * `sum`, the least sum of weights of any problem, so that one penalty, 1 / (C · sum), gives each problem the optimum
 * that it has alone, and a gradient that is small enough here is so in the scaling of each. Targets and weights are
 * made for the rows of a part when it is asked for: of a million rows and ten classes they would take 160 MB.
 */
export function againstRestLoss(
  name: MarginLoss,
  y: Int32Array,
  byClass: Float64Array,
): { readonly loss: LossByParts; readonly sum: number } {
  const positives = positivesOf(byClass.length);
  const k = positives.length;
  const weigh = (positive: number, c: number): number => weightAgainstRest(name, byClass, positive, c);
  const counts = countClasses(y, byClass.length);
  const sums = positives.map((positive) =>
    counts.reduce((sum, count, c) => sum + count * weigh(positive, c), 0),
  );
  const sum = Math.min(...sums);
  const make = name === 'squaredHinge' ? squaredHingeLoss : squaredErrorLoss;
  function part(from: number, to: number): Loss {
    const some = y.subarray(from, to);
    const columns = positives.map((positive) =>
      make(
        Float64Array.from(some, (c) => (c === positive ? 1 : -1)),
        Float64Array.from(some, (c) => weigh(positive, c) / sum),
      ),
    );
    return {
      k,
      value: (F) => columns.reduce((total, one, c) => total + one.value(columnOf(F, k, c)), 0),
      at(F) {
        const here = columns.map((one, c) => one.at(columnOf(F, k, c)));
        return {
          loss: here.reduce((total, { loss }) => total + loss, 0),
          residuals: beside(here.map(({ residuals }) => residuals)),
          curvature: (U) => beside(here.map(({ curvature }, c) => curvature(columnOf(U, k, c)))),
          bend() {
            const scale = new Float32Array(k * some.length);
            here.forEach(({ bend }, c) => scale.set(bend().scale, c * some.length));
            return { scale };
          },
        };
      },
    };
  }
  return { loss: { k, part }, sum };
}

/** Column c of data (n, k). */
function columnOf(data: Float64Array, k: number, c: number): Float64Array {
  if (k === 1) return data;
  const out = new Float64Array(data.length / k);
  for (let i = 0, at = c; i < out.length; i++, at += k) out[i] = data[at]!;
  return out;
}

/** Columns (n) beside each other, shape (n, columns.length). */
function beside(columns: readonly Float64Array[]): Float64Array {
  const k = columns.length;
  if (k === 1) return columns[0]!;
  const out = new Float64Array(columns[0]!.length * k);
  columns.forEach((column, c) => {
    for (let i = 0, at = c; i < column.length; i++, at += k) out[at] = column[i]!;
  });
  return out;
}
