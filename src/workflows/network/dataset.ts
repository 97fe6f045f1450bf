import { relabelled, type Dataset } from '../../extract/dataset/dataset.ts';
import { stratifiedSplit } from '../../classify/evaluate/split.ts';
import { findDataset } from './find-dataset.ts';

/** The data set at `where`; one without splits is split by class, the same for the same seed and paths. */
export async function openDataset(
  where: string,
  { valFraction, seed, labels = '' }: { readonly valFraction: number; readonly seed: number; readonly labels?: string },
): Promise<Dataset> {
  const found = await findDataset(where);
  const dataset = labels === '' ? found : await relabelled(found, labels);
  if (dataset.hasSplits) return dataset;
  const classes = dataset.samples.map(({ label }) => label);
  const paths = dataset.samples.map(({ path }) => path);
  const { val } = stratifiedSplit(classes, { keys: paths, valFraction, seed });
  const validated = new Set(val);
  return {
    ...dataset,
    samples: dataset.samples.map((sample, i) => (validated.has(i) ? { ...sample, split: 'val' as const } : sample)),
    warnings: [
      ...dataset.warnings,
      `The data set names no validation images: ${val.length} of ${classes.length} are held out by class (seed ${seed}).`,
    ],
  };
}
