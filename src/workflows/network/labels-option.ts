import { stringOption } from '../../core/options.ts';

/** The option `labels` of workflows on a store: the labels that count in place of the stored ones. */
export const LABELS_OPTION = stringOption(
  '',
  "a .csv or .jsonl of path (relative to the data set), label and perhaps split that count instead of the store's; the store stays as it is",
);
