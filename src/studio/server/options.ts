import { integerOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { memoryOption } from '../../workflows/memory.ts';
import { ALLOW_ENGINE_OPTION } from '../../workflows/network/engine/other-class.ts';
import { NETWORK_OPTION } from '../../workflows/train/options.ts';

/** Options of `studio`. */
export const STUDIO_OPTIONS = {
  port: integerOption(0, 'port on 127.0.0.1; 0: a free one', { min: 0, max: 65535 }),
  backboneFile: NETWORK_OPTION,
  weights: stringOption('', 'the weights file that the store was made with, where it was not the bundled one'),
  allowEngine: ALLOW_ENGINE_OPTION,
  memory: memoryOption(
    'memory that the studio may take, all its processes together; features that need more are read from the disk at each search',
  ),
  taught: stringOption('', "where taught classes are saved as data sets; empty: the store's folder taught"),
} as const;
/**
 * Options of `studio`.
 *
 * @interface
 */
export type StudioOptions = OptionsOf<typeof STUDIO_OPTIONS>;
