import type { StrategyName } from '../../results/strategies-result.ts';
import { finetune } from '../finetune/finetune.ts';
import type { Work } from '../work.ts';
import type { Tried } from './compare.ts';
import { measured } from './measured.ts';
import { tunedTrial } from './tuned-trial.ts';

/** A strategy that trains layers. */
export interface TunedStrategy {
  readonly strategy: StrategyName;
  readonly name: string;
  /** The first trained layer. */
  readonly from: string;
  /** Learning rates in the words of the option: empty for those of the recipe. */
  readonly rates: string;
  /** Images of one run; 0: as many as the memory that finetune takes has room for. */
  readonly microBatch: number;
  /** Its share of the time that is left when it begins. */
  readonly share: number;
}

/** The cheap one first: what it leaves of its time, the dear one has. */
export const TUNED_STRATEGIES: readonly TunedStrategy[] = [
  {
    strategy: 'freeze-early',
    name: 'layers from block5_conv1 on',
    from: 'block5_conv1',
    rates: '',
    microBatch: 0,
    share: 0.35,
  },
  // All layers at once bear the lower rate alone: their first ones serve whatever the pictures are. Measured: four
  // images a run take 0.66 of the time of one at a time, and 1.7 GB.
  { strategy: 'retrain-all', name: 'all layers', from: 'block1_conv1', rates: '3e-5', microBatch: 4, share: 1 },
];

/**
 * Tries a strategy within some seconds, with all its options; its features are not brought into the store. Throws as
 * finetune.
 */
export async function tunedStrategy(
  store: string,
  { strategy, name, from, rates, microBatch }: TunedStrategy,
  { seconds: room, ...options }: { readonly seconds: number; readonly memory: string; readonly weights: string },
  work: Work,
): Promise<Tried> {
  const { value, seconds, peakBytes } = await measured(() =>
    finetune(store, { from, rates, microBatch, minutes: room / 60, features: false, ...options }, work),
  );
  return tunedTrial({ strategy, name }, value, { seconds: seconds - value.seconds.extract, peakBytes });
}
