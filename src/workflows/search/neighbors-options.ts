import { choiceOption, integerOption, numberOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { POOLING_CHOICES } from '../../core/sample.ts';
import { METRICS } from '../../classify/neighbors/neighbor-index.ts';
import { ALLOW_ENGINE_OPTION } from '../network/engine/other-class.ts';
import { ENGINE_OPTIONS } from '../network/engine-options.ts';
import { NETWORK_OPTION } from '../train/options.ts';
import { SEARCH_MEMORY_OPTION } from '../memory.ts';

/** Options of `neighbors`. */
export const NEIGHBORS_OPTIONS = {
  k: integerOption(5, 'how many neighbours', { min: 1 }),
  pooling: choiceOption(POOLING_CHOICES, 'avg', 'features that are compared'),
  cut: stringOption(
    '',
    'cut layers whose features are compared side by side, each with its poolings or with --pooling; empty: the deepest that was extracted',
  ),
  backboneFile: NETWORK_OPTION,
  metric: choiceOption(METRICS, 'cosine', 'distance'),
  split: choiceOption(['train', 'all'], 'train', 'where to look: training images, or all'),
  index: choiceOption(
    ['exact', 'hnsw', 'auto'],
    'exact',
    'all images compared, or graphs that are built once and kept in the store; auto: whichever answers so many images sooner (docs/neighbors.md)',
  ),
  recall: numberOption(0.99, 'of --index hnsw and auto: the share of the true neighbours that a search must find', {
    above: 0,
    max: 1,
  }),
  graphs: integerOption(
    2,
    'of --index hnsw and auto: graphs that share the images, each built by a thread of its own: more are built faster and searched slower',
    { min: 1, max: 64 },
  ),
  memory: SEARCH_MEMORY_OPTION,
  ...ENGINE_OPTIONS,
  allowEngine: ALLOW_ENGINE_OPTION,
  weights: stringOption('', 'the weights file that the store was made with, where it was not the bundled one'),
} as const;
/** Options of `neighbors`. @interface */
export type NeighborsOptions = OptionsOf<typeof NEIGHBORS_OPTIONS>;
