import { integerOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { BACKBONE_OPTIONS } from '../network/backbone-options.ts';

/** Options of `bench`. */
export const BENCH_OPTIONS = {
  images: integerOption(10, 'images that are measured, drawn from what is given', { min: 1, max: 256 }),
  rounds: integerOption(2, 'processes an engine and precision, in alternating order; the median is told', {
    min: 1,
    max: 20,
  }),
  seconds: integerOption(3, 'seconds of inference a process, after one to warm up', { min: 1, max: 600 }),
  backbone: BACKBONE_OPTIONS.backbone,
  contract: BACKBONE_OPTIONS.contract,
  cut: stringOption('', 'where the network ends; empty: where its features are taken by default'),
  seed: integerOption(1, 'seed of the choice of images', { min: 0, max: 2 ** 31 - 1 }),
} as const;
/** Options of `bench`. @interface */
export type BenchOptions = OptionsOf<typeof BENCH_OPTIONS>;
