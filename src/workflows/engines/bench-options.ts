import { choiceOption, integerOption, type OptionsOf } from '../../core/options.ts';
import { cutLayerNames } from '../../extract/backbones/cut-layers.ts';
import { vgg16 } from '../../extract/backbones/vgg.ts';
import { CONTRACT_NAMES } from '../../extract/contract.ts';

/** Options of `bench`. */
export const BENCH_OPTIONS = {
  images: integerOption(10, 'images that are measured, drawn from what is given', { min: 1, max: 256 }),
  rounds: integerOption(2, 'processes an engine and precision, in alternating order; the median is told', {
    min: 1,
    max: 20,
  }),
  seconds: integerOption(3, 'seconds of inference a process, after one to warm up', { min: 1, max: 600 }),
  cut: choiceOption(cutLayerNames(vgg16), 'block5_pool', 'last layer that runs'),
  contract: choiceOption(CONTRACT_NAMES, 'vgg16', 'preprocessing contract'),
  seed: integerOption(1, 'seed of the choice of images', { min: 0, max: 2 ** 31 - 1 }),
} as const;
/** Options of `bench`. @interface */
export type BenchOptions = OptionsOf<typeof BENCH_OPTIONS>;
