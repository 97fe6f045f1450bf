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
 * The weight of each class (classes): 1, or for `balanced` n / (classes · its rows), as scikit-learn's class_weight; 0
 * without rows. `rows`: those that count, by default all.
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
