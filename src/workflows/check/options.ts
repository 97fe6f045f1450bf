import { defaultsOf, integerOption, numberOption, type OptionsOf } from '../../core/options.ts';
import { LABELS_OPTION } from '../network/labels-option.ts';

/** Options of `check`. */
export const CHECK_OPTIONS = {
  labels: LABELS_OPTION,
  images: integerOption(
    25_000,
    'images whose features are compared at most (512 numbers each: 0.5 GB); of more, those whose SHA-256 is lowest',
    { min: 100 },
  ),
  threshold: numberOption(
    0.75,
    'cosine of the whole feature maps from which two images that are no copies count as alike',
    {
      above: 0,
      max: 1,
    },
  ),
  suspects: integerOption(0, 'suspected label errors that are told; 0: as many as are estimated, 100 at most', {
    min: 0,
  }),
  folds: integerOption(5, 'folds of the cross-validation that finds them', { min: 2, max: 50 }),
  smallClass: integerOption(10, 'a class with fewer validated images counts as too small to judge', { min: 1 }),
  seed: integerOption(1, 'seed of the folds', { min: 0, max: 2 ** 31 - 1 }),
} as const;
/** Options of `check`. @interface */
export type CheckOptions = OptionsOf<typeof CHECK_OPTIONS>;
export const CHECK_DEFAULTS = defaultsOf(CHECK_OPTIONS);
