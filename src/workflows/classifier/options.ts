import { integerOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { ALLOW_ENGINE_OPTION } from '../network/engine/other-class.ts';
import { ENGINE_OPTIONS } from '../network/engine-options.ts';
import { SEARCH_MEMORY_OPTION } from '../memory.ts';
import { RULE_OPTION } from '../train/options.ts';

/** Options of `openClassifier`. */
export const CLASSIFIER_OPTIONS = {
  reject: RULE_OPTION,
  memory: SEARCH_MEMORY_OPTION,
  maxMegapixels: integerOption(268, 'most million pixels of an image; larger ones are not decoded', {
    min: 1,
    max: 268,
  }),
  ...ENGINE_OPTIONS,
  allowEngine: ALLOW_ENGINE_OPTION,
  backboneFile: stringOption(
    '',
    'of a head on features of a tuned network: the file of that network, where neither the head nor its store has its layers',
  ),
  weights: stringOption('', 'the weights file that the head was trained with, where it was not the bundled one'),
} as const;
/** Options of `openClassifier`. @interface */
export type ClassifierOptions = OptionsOf<typeof CLASSIFIER_OPTIONS>;
