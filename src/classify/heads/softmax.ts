import type { OptionsOf } from '../../core/options.ts';
import { resolveOptions } from '../../core/options.ts';
import type { Head } from '../head.ts';
import { glorotUniform } from '../solvers/network.ts';
import { fitStreamedSoftmax } from '../streams/streamed-softmax.ts';
import { fittedLinear } from './linear.ts';
import { TRAINING_OPTIONS, trainHeadNetwork, transposed } from './trained-network.ts';

/** Options of the head `softmax`. */
export const SOFTMAX_OPTIONS = TRAINING_OPTIONS;

/**
 * A dense softmax layer trained by Adam on the cross-entropy, without a penalty: the head of the 2020 report. It keeps its learning curve;
 * `iterations` are epochs. Throws OPTION_INVALID; `fit` throws FIT_INVALID, and INTERRUPTED.
 */
export function softmaxHead(options: Partial<OptionsOf<typeof SOFTMAX_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "softmax"', SOFTMAX_OPTIONS, options);
  return {
    name: 'softmax',
    params,
    drawsViews: true,
    async fit(X, y, context) {
      const { facts, network } = await trainHeadNetwork(
        { name: 'softmax', params },
        params,
        (features, classes, source) => [glorotUniform(features, classes, source)],
        X,
        y,
        context,
      );
      const { weights, bias } = network[0]!;
      return fittedLinear(facts, transposed(weights), bias);
    },
    fitStream: (source, y, context) =>
      fitStreamedSoftmax({ name: 'softmax', params }, params, source, y, context),
  };
}
