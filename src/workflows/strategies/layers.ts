import type { FeaturePart } from '../../core/sample.ts';
import type { StrategyAdvice } from '../../results/strategies-result.ts';
import type { Store } from '../../store/open.ts';
import { currentSets, smallPooling, type WantedSet } from '../../store/read/stored-parts.ts';
import { comparedOutOfFold, type ExactHead } from './exact-head.ts';

/** Features of layers that a head is tried on. */
export interface LayerFeatures {
  readonly name: string;
  readonly features: readonly FeaturePart[];
}

const partOf = (wanted: WantedSet): FeaturePart => ({ cut: wanted.set.settings.cut, pooling: smallPooling(wanted) });

/** Each stored layer but the deepest by itself, then all side by side; empty where one layer alone was extracted. */
export function earlierLayers(store: Store): LayerFeatures[] {
  const [primary, ...others] = currentSets(store);
  if (others.length === 0) return [];
  const parts = others.map(partOf);
  const all = [partOf(primary), ...parts];
  return [
    ...parts.map((part) => ({ name: `head on ${part.cut}`, features: [part] })),
    { name: `head on ${all.map(({ cut }) => cut).join(' + ')}`, features: all },
  ];
}

/**
 * The earlier layer whose head is right most often out of fold, beside the deepest. It was chosen among several: its
 * p-value is multiplied by their number (Bonferroni). Null where none could be compared.
 */
export function bestEarlier(
  deepest: { readonly cut: string; readonly head: ExactHead },
  earlier: readonly { readonly cut: string; readonly head: ExactHead }[],
): StrategyAdvice['layers'] {
  const compared = earlier.flatMap(({ cut, head }) => {
    const test = comparedOutOfFold(head, deepest.head);
    return test === null ? [] : [{ cut, accuracy: head.judged!.figures.accuracy, pValue: test.pValue }];
  });
  const [best] = [...compared].sort((a, b) => b.accuracy - a.accuracy);
  if (best === undefined) return null;
  return {
    deepest: deepest.cut,
    earlier: best.cut,
    accuracyDeepest: deepest.head.judged!.figures.accuracy,
    accuracyEarlier: best.accuracy,
    pValue: Math.min(1, best.pValue * compared.length),
  };
}
