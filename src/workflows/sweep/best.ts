import { PermafrostError } from '../../core/errors.ts';
import type { RankedCandidate, SweepResult } from '../../results/sweep-result.ts';
import type { TrainingRequest } from '../train/data.ts';
import type { TrainedHead } from '../train/trained-head.ts';
import { featuresOf } from './grid.ts';
import { trainWithin, type RuleRequest } from '../train/within.ts';
import type { Work } from '../work.ts';

/**
 * Fits the first of the ranked candidates on all training images; one that does not fit the memory is passed over.
 * Throws OPTION_INVALID where none fits, and what trainWithin throws.
 */
export async function fitBest(
  candidates: readonly RankedCandidate[],
  from: Pick<TrainingRequest, 'owner' | 'store' | 'bound'>,
  rule: RuleRequest,
  work: Work,
): Promise<{ readonly trained: TrainedHead; readonly passedOver: SweepResult['passedOver'] }> {
  const passedOver: { rank: number; reason: string }[] = [];
  for (const one of candidates) {
    const { rank, head, params, normalize, pca, views } = one;
    const plan = { head, options: params, normalize, pca };
    const request = { ...from, features: featuresOf(one), views };
    try {
      return { trained: await trainWithin(plan, request, rule, work), passedOver };
    } catch (error) {
      if (!(error instanceof PermafrostError) || error.code !== 'OPTION_INVALID') throw error;
      passedOver.push({ rank, reason: error.message });
      work.listener?.note?.(`Number ${rank}, ${head}, is passed over: ${error.message}`);
    }
  }
  throw new PermafrostError(
    'OPTION_INVALID',
    `None of the ${candidates.length} candidates can be fitted on all training images within the memory; what was found of them is kept. Number 1: ${passedOver[0]?.reason}`,
  );
}
