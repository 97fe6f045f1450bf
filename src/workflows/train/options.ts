import {
  booleanOption,
  choiceOption,
  integerOption,
  numberOption,
  stringOption,
  type OptionsOf,
} from '../../core/options.ts';
import { POOLING_CHOICES } from '../../core/sample.ts';
import { HEAD_NAMES } from '../../classify/heads/index.ts';
import { NORMALIZATIONS } from '../../classify/normalize.ts';
import { LABELS_OPTION } from '../network/labels-option.ts';
import { memoryOption } from '../memory.ts';

/** The option `reject` of train, run and sweep. */
export const REJECT_OPTION = numberOption(
  0.05,
  'share of images of known classes that may be called unknown, so that others can be; 0: never answer unknown',
  { min: 0, max: 0.5 },
);

/** The option `reject` of what asks a head. */
export const RULE_OPTION = choiceOption(
  ['trained', 'off', '0.01', '0.05'],
  'trained',
  'when an image is marked as unknown: at the share of images of known classes that the head was trained with, never, or at 1 % or 5 % of them',
);
export type RuleChoice = (typeof RULE_OPTION)['default'];

/** The option `probeImages` of what writes heads. */
export const PROBE_OPTION = integerOption(
  6,
  'held-out images that the head file carries, as small as the network sees them, so that another engine can be checked by them where the store is gone; 0: none',
  { min: 0, max: 64 },
);

/** The option `backboneFile` of workflows on a store: whose features are meant. */
export const NETWORK_OPTION = stringOption(
  '',
  "features of a tuned network in place of the store's primary ones: its file, or the name of its set (inspect shows it)",
);

/** Options of `train` beside the head's own (classify/heads). */
export const TRAIN_OPTIONS = {
  head: choiceOption(HEAD_NAMES, 'logistic', 'what to train'),
  labels: LABELS_OPTION,
  pooling: choiceOption(
    POOLING_CHOICES,
    'avg',
    'features: the whole map; its mean, maximum or generalised mean over the picture; or mean and maximum side by side',
  ),
  cut: stringOption(
    '',
    'cut layers whose features stand side by side, each with its poolings or with --pooling: block5_pool,block4_pool:max; empty: the deepest that was extracted',
  ),
  backboneFile: NETWORK_OPTION,
  normalize: choiceOption(NORMALIZATIONS, 'l2', 'normalisation of the features'),
  views: integerOption(
    0,
    'stored views of each training image to train on too (extract --views); their effect is reported',
    { min: 0 },
  ),
  memory: memoryOption('memory that training may take; features that need more are read in streams'),
  reject: REJECT_OPTION,
  pca: integerOption(0, 'principal components of the normalised features to train on; 0: the features themselves', {
    min: 0,
  }),
  scoreTest: booleanOption(
    false,
    'score the head on the labelled test images too: once, when nothing is chosen any more (run does so by itself)',
  ),
  probeImages: PROBE_OPTION,
  out: stringOption('', "the head file; empty: in the store's folder heads, named by the settings"),
} as const;
/** Options of `train` beside the head's own (HeadOptions). @interface */
export type TrainOptions = OptionsOf<typeof TRAIN_OPTIONS>;
