import { integerOption, type OptionsOf } from '../../core/options.ts';
import { CLASSIFIER_OPTIONS } from '../classifier/options.ts';

/** Options of `predict`. */
export const PREDICT_OPTIONS = {
  neighbors: integerOption(3, 'nearest training images to show with each answer; 0: none', { min: 0 }),
  ...CLASSIFIER_OPTIONS,
} as const;
/** Options of `predict`. @interface */
export type PredictOptions = OptionsOf<typeof PREDICT_OPTIONS>;
