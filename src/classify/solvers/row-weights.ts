import { choiceOption } from '../../core/options.ts';
import { countClasses } from '../labels.ts';

export const CLASS_WEIGHTS = ['none', 'balanced'] as const;
export type ClassWeight = (typeof CLASS_WEIGHTS)[number];

/** The option `classWeight` of the heads that have it. */
export const CLASS_WEIGHT_OPTION = choiceOption(
  CLASS_WEIGHTS,
  'none',
  'balanced: each class counts the same, however many rows it has',
);

/**
 * The weight of each class, shape (classes): 1, or for `balanced` n / (classes · rows of the class), as scikit-learn's
 * class_weight. Classes without rows get 0. `rows`: those that count, by default all.
 */
export function classWeights(
  y: Int32Array,
  classes: number,
  mode: ClassWeight,
  rows?: readonly number[],
): Float64Array {
  const counted = rows === undefined ? y : Int32Array.from(rows, (i) => y[i]!);
  const counts = countClasses(counted, classes);
  return Float64Array.from(counts, (count) => {
    if (mode === 'none') return 1;
    return count === 0 ? 0 : counted.length / (classes * count);
  });
}

/** A weight a row, shape (y.length), 0 for rows that are not among `rows`. `of`: the weight of a row by its class. */
export function rowWeights(
  y: Int32Array,
  of: (classIndex: number) => number,
  rows?: readonly number[],
): Float64Array {
  if (rows === undefined) return Float64Array.from(y, of);
  const weights = new Float64Array(y.length);
  for (const i of rows) weights[i] = of(y[i]!);
  return weights;
}

/** Weights as shares of their sum, and the sum. */
export function sharesOf(weights: Float64Array): { shares: Float64Array; sum: number } {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return { shares: weights.map((weight) => weight / sum), sum };
}
