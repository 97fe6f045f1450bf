import { booleanOption, integerOption, numberOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { ESCAPE_FORMULAS_OPTION } from '../../core/table/csv.ts';
import { CLASSIFIER_OPTIONS } from '../classifier/options.ts';
import type { Work } from '../work.ts';

/** Where the answers of `predict` go beside, or in place of, the text. */
export const OUTPUT_OPTIONS = {
  csv: stringOption('', 'write the answers to this CSV file, a row an image, or to standard output with "-"'),
  jsonl: stringOption('', 'write the answers to this file of JSON lines, or to standard output with "-"'),
  parquet: stringOption('', 'write the answers to this Parquet file'),
  escapeFormulas: ESCAPE_FORMULAS_OPTION,
  sortInto: stringOption(
    '',
    'copy the images into this folder, into one folder a class, "unknown" and "failed" beside them',
  ),
  link: booleanOption(false, 'make links in the folder of sortInto in place of copies'),
} as const;

/** Options of `predict`. */
export const PREDICT_OPTIONS = {
  neighbors: integerOption(
    3,
    'nearest training images to show with each answer; 0: none, which is the default where answers go to files',
    { min: 0 },
  ),
  top: integerOption(
    0,
    'likeliest classes to show of each image, in files in place of all classes; 0: the likeliest, in files all',
    {
      min: 0,
    },
  ),
  minProbability: numberOption(0, 'an image whose likeliest class has less counts as unknown', { min: 0, max: 1 }),
  ...OUTPUT_OPTIONS,
  ...CLASSIFIER_OPTIONS,
} as const;
/** Options of `predict`. @interface */
export type PredictOptions = OptionsOf<typeof PREDICT_OPTIONS>;

/** What `predict` takes beside its options. */
export interface PredictWork extends Work {
  /** What "-" among the images stands for: names of images, a line each. */
  readonly names?: AsyncIterable<Uint8Array> | undefined;
  /** Where an output "-" goes. */
  readonly print?: ((text: string) => void) | undefined;
}
