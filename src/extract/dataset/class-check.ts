import { few, PermafrostError } from '../../core/errors.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';
import { byCodeUnits } from './image-tree.ts';
import { lookalikes, lookalikeWarnings } from './labels.ts';

/**
 * Classes must be learnable: one that is only validated is an error, one that is only trained a warning, as are names
 * that look the same. `where` is the data set, for the message. Throws DATASET_CLASSES.
 */
export function checkClasses(where: string, samples: readonly Sample[], warnings: string[]): void {
  const labelsOf = (split: Split): Set<string> => new Set(samples.filter((s) => s.split === split).map((s) => s.label));
  const train = labelsOf('train');
  for (const split of SPLITS.filter((s) => s !== 'train')) {
    const other = labelsOf(split);
    if (other.size === 0) continue;
    const unlearnable = [...other].filter((label) => !train.has(label)).sort(byCodeUnits);
    if (unlearnable.length > 0) {
      const alike = lookalikes([...train, ...unlearnable]);
      const hint =
        alike.length > 0
          ? `These differ by case, blanks, hyphens or Unicode form only: ${few(alike, 10)}. Give each class one name.`
          : `Add training images, or take these out of ${split}.`;
      throw new PermafrostError(
        'DATASET_CLASSES',
        `${where}: ${unlearnable.length} class(es) in ${split} are not in train: ${few(unlearnable, 20)}. Train has: ${few([...train].sort(byCodeUnits), 20)}. ${hint}`,
      );
    }
    const unchecked = [...train].filter((label) => !other.has(label)).sort(byCodeUnits);
    if (unchecked.length > 0) {
      warnings.push(
        `Classes in train that ${split} lacks, so nothing tells how well they are known: ${few(unchecked, 20)}.`,
      );
    }
  }
  warnings.push(...lookalikeWarnings(samples.map(({ label }) => label)));
}
