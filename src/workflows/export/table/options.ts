import { booleanOption, choiceOption, stringOption, type OptionsOf } from '../../../core/options.ts';
import { ESCAPE_FORMULAS_OPTION } from '../../../core/table/csv.ts';
import { POOLING_CHOICES } from '../../../core/sample.ts';
import { LABELS_OPTION } from '../../network/labels-option.ts';
import { NETWORK_OPTION } from '../../train/options.ts';

/** Options of `export` of a store as a table. */
export const TABLE_OPTIONS = {
  parquet: stringOption('', 'a Parquet file: a row an image, with its path, label, split, answer and features'),
  csv: stringOption('', 'the same as CSV, each number of the features in a column'),
  npz: stringOption('', 'the same as arrays for NumPy: X, y, paths, split, classes; loaded without pickle'),
  labels: LABELS_OPTION,
  pooling: choiceOption(POOLING_CHOICES, 'avg', 'of the exported features, as in train'),
  cut: stringOption('', 'cut layers whose features stand side by side, as in train; empty: the deepest'),
  backboneFile: NETWORK_OPTION,
  columns: booleanOption(false, 'in Parquet a column for each number of the features, in place of a list an image'),
  escapeFormulas: ESCAPE_FORMULAS_OPTION,
  head: stringOption('', "the head whose answers are joined; empty: the store's best"),
} as const;
/** Options of `export` of a store as a table. @interface */
export type TableOptions = OptionsOf<typeof TABLE_OPTIONS>;
