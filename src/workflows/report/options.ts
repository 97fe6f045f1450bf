import { integerOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { LABELS_OPTION } from '../network/labels-option.ts';

/** What a report is made of. */
export const REPORT_DATA_OPTIONS = {
  labels: LABELS_OPTION,
  maxImages: integerOption(
    25_000,
    'images that a page shows at most, for it holds a row for each; of more, those whose SHA-256 is lowest, and figures of all',
    { min: 100 },
  ),
  maxThumbnails: integerOption(
    2000,
    'pictures that are put into the page at most (about 2.3 kB each); the rest is named in words',
    { min: 0, max: 20_000 },
  ),
  mapImages: integerOption(2000, 'images on the map at most: of more, a sample is drawn by the seed; 0: no map', {
    min: 0,
    max: 20_000,
  }),
  seed: integerOption(1, "seed of the map and of check's folds", { min: 0, max: 2 ** 31 - 1 }),
} as const;
export type ReportDataOptions = OptionsOf<typeof REPORT_DATA_OPTIONS>;

/** Options of `report`: those, and where the page goes. */
export const REPORT_OPTIONS = {
  out: stringOption('', 'file to write; empty: report.html in the store'),
  ...REPORT_DATA_OPTIONS,
} as const;
/** Options of `report`. @interface */
export type ReportOptions = OptionsOf<typeof REPORT_OPTIONS>;
