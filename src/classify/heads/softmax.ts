import { type OptionsOf, resolveOptions } from '../../core/options.ts';
import type { FittedHead, Head } from '../head.ts';
import { glorotUniform } from '../network/network.ts';
import { fittedLinear } from './linear.ts';
import {
  TRAINING_OPTIONS,
  trainHeadNetwork,
  transposed,
  type StartNetwork,
  type TrainedNetwork,
} from './trained-network.ts';

/** Options of the head `softmax`. */
export const SOFTMAX_OPTIONS = TRAINING_OPTIONS;

/**
 * A dense softmax layer trained by Adam without a penalty: the head of the 2020 report. `iterations` are epochs. Throws
 * OPTION_INVALID; `fit` throws FIT_INVALID, and INTERRUPTED.
 */
export function softmaxHead(options: Partial<OptionsOf<typeof SOFTMAX_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "softmax"', SOFTMAX_OPTIONS, options);
  const self = { name: 'softmax', params };
  const start: StartNetwork = (features, classes, source) => [glorotUniform(features, classes, source)];
  const fitted = ({ facts, network }: TrainedNetwork): FittedHead => {
    const { weights, bias } = network[0]!;
    return fittedLinear(facts, transposed(weights), bias);
  };
  return {
    ...self,
    drawsViews: true,
    holdsOut: params.validationFraction > 0,
    fit: async (rows, y, context) => fitted(await trainHeadNetwork(self, params, start, rows, y, context)),
  };
}
