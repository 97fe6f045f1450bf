import {
  choiceOption,
  defaultsOf,
  integerOption,
  stringOption,
  booleanOption,
  type OptionsOf,
} from '../../core/options.ts';
import { LABELS_OPTION } from '../network/labels-option.ts';
import { memoryOption } from '../memory.ts';
import { NETWORK_OPTION } from '../train/options.ts';
import { PROBE_OPTION, REJECT_OPTION } from '../train/options.ts';
import { SWEEP_SCORES } from '../../classify/cross-validation/cross-scores.ts';

/** Options of `sweep` beside its grid. */
export const SWEEP_OPTIONS = {
  labels: LABELS_OPTION,
  backboneFile: NETWORK_OPTION,
  folds: integerOption(5, 'parts of Train that are held out in turn', { min: 2 }),
  seed: integerOption(1, 'seed of the folds', { min: 0 }),
  score: choiceOption(SWEEP_SCORES, 'accuracy', 'what the candidates are ranked by'),
  images: integerOption(
    25_000,
    'training images that are cross-validated at most; of more, those whose SHA-256 is lowest',
    { min: 100 },
  ),
  memory: memoryOption(
    'memory that the sweep may take: no more images are cross-validated than fit it with the widest features of the grid, and the best is fitted in streams where all of Train does not',
  ),
  workers: integerOption(
    0,
    'threads that compute, where the memory has room for them; 0: as many as there are processors',
    { min: 0 },
  ),
  save: booleanOption(false, 'write the best, fitted on all of Train, to a head file for predict'),
  reject: REJECT_OPTION,
  probeImages: PROBE_OPTION,
  out: stringOption('', "the head file of --save; empty: in the store's folder heads, named by the settings"),
} as const;
/** Options of `sweep` beside its grid. @interface */
export type SweepOptions = OptionsOf<typeof SWEEP_OPTIONS>;
export const SWEEP_DEFAULTS: SweepOptions = defaultsOf(SWEEP_OPTIONS);
