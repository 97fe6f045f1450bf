import { scanDataset, type Dataset } from '../extract/dataset.ts';
import { stratifiedSplit } from '../classify/split.ts';

export interface OpenDatasetOptions {
  /** Fraction of each class that is validated on, where the data set names no splits. */
  readonly valFraction: number;
  readonly seed: number;
}

/** The data set at `where`; one without splits is split by class, the same way for the same seed and paths. */
export async function openDataset(
  where: string,
  { valFraction, seed }: OpenDatasetOptions,
): Promise<Dataset> {
  const dataset = await scanDataset(where);
  if (dataset.hasSplits) return dataset;
  const labels = dataset.samples.map(({ label }) => label);
  const paths = dataset.samples.map(({ path }) => path);
  const { val } = stratifiedSplit(labels, { keys: paths, valFraction, seed });
  const validated = new Set(val);
  return {
    ...dataset,
    samples: dataset.samples.map((sample, i) =>
      validated.has(i) ? { ...sample, split: 'val' as const } : sample,
    ),
    warnings: [
      ...dataset.warnings,
      `The data set names no validation images: ${val.length} of ${labels.length} are held out by class (seed ${seed}).`,
    ],
  };
}
