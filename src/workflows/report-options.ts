import { integerOption, stringOption, type OptionsOf } from '../core/options.ts';

/** Options of `report`. */
export const REPORT_OPTIONS = {
  maxImages: integerOption(
    50_000,
    'images that a page is made of at most, for it holds a row for each (512 numbers an image: 0.9 GB of memory)',
    { min: 1 },
  ),
  maxThumbnails: integerOption(
    2000,
    'pictures that are put into the page at most (about 2.3 kB each); the rest is named in words',
    { min: 0, max: 20_000 },
  ),
  mapImages: integerOption(
    2000,
    'images on the map at most: of more, a sample is drawn by the seed; 0: no map',
    { min: 0, max: 20_000 },
  ),
  seed: integerOption(1, "seed of the map and of check's folds", { min: 0, max: 2 ** 31 - 1 }),
} as const;
export type ReportOptions = OptionsOf<typeof REPORT_OPTIONS>;

/** Flags of the command report: those options, and where the page goes. */
export const REPORT_FLAGS = {
  out: stringOption('', 'file to write; empty: report.html in the store'),
  ...REPORT_OPTIONS,
} as const;
