import { median } from '../../classify/evaluate/distributions.ts';
import type { StrategyAdvice, StrategyName, StrategyTrial } from '../../results/strategies-result.ts';

/**
 * From how many training images a class on a data set is large. On photographs of what ImageNet knows, 122 a class gave
 * fine-tuning nothing, 200 a class gave it 1.5 points and 587 a class 4 points (docs/report-2020-repeated.md).
 */
export const LARGE_FROM = 200;
const LEVEL = 0.05;

/** What the report advises: small data keep the network, large data train it, different data leave its last layers. */
const ADVISED = {
  small: { similar: 'head-only', different: 'layers-as-features' },
  large: { similar: 'freeze-early', different: 'retrain-all' },
} as const satisfies Record<string, Record<string, StrategyName>>;

/** What the advice is decided from: counts and figures of the training images. */
export interface AdviceFacts {
  /** Training images of each class. */
  readonly counts: readonly number[];
  readonly layers: StrategyAdvice['layers'];
  readonly trials: readonly Pick<StrategyTrial, 'strategy' | 'heldOut' | 'kept'>[];
}

/** How much lower a trial's log loss is than the frozen head's, on training images that were held out; 0 for not. */
function gainOf({ heldOut, kept }: AdviceFacts['trials'][number]): number {
  if (kept === 'frozen' || heldOut === null) return 0;
  return Math.max(0, heldOut.frozen.logLoss - heldOut.logLoss);
}

/** Named strategies by their best trial's gain, the largest first; those without one are left out. */
function betterThanFrozen(trials: AdviceFacts['trials']): StrategyName[] {
  const gains = new Map<StrategyName, number>();
  for (const trial of trials) {
    const gain = gainOf(trial);
    if (trial.strategy !== 'head-only' && gain > (gains.get(trial.strategy) ?? 0)) gains.set(trial.strategy, gain);
  }
  return [...gains].sort(([, a], [, b]) => b - a).map(([strategy]) => strategy);
}

const domainOf = (layers: StrategyAdvice['layers']): StrategyAdvice['domain'] => {
  if (layers === null) return 'unknown';
  return layers.accuracyEarlier > layers.accuracyDeepest && layers.pValue <= LEVEL ? 'different' : 'similar';
};

/**
 * The report's advice for a data set, and what its training images say of it. A domain that could not be measured
 * counts as similar: ImageNet knows most of what is photographed. On few images a lower held-out loss is often chance,
 * so there the frozen head is left only for what is advised.
 */
export function adviceOn({ counts, layers, trials }: AdviceFacts): StrategyAdvice {
  const imagesPerClass = median(counts);
  const size = imagesPerClass >= LARGE_FROM ? 'large' : 'small';
  const domain = domainOf(layers);
  const advised = ADVISED[size][domain === 'different' ? 'different' : 'similar'];
  const better = betterThanFrozen(trials);
  const alsoBetter = better.filter((strategy) => strategy !== advised);
  const isTried = trials.some(({ strategy, heldOut }) => strategy === advised && heldOut !== null);
  const measured = better.includes(advised) ? 'better' : isTried ? 'no better' : 'not tried';
  const instead = size === 'large' ? (alsoBetter[0] ?? 'head-only') : 'head-only';
  return {
    imagesPerClass,
    largeFrom: LARGE_FROM,
    size,
    domain,
    layers,
    advised,
    measured: advised === 'head-only' ? 'is the frozen head' : measured,
    take: advised === 'head-only' || measured === 'better' ? advised : instead,
    alsoBetter,
  };
}
