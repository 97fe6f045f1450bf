import { type OptionsOf, integerOption, numberOption, resolveOptions } from '../../core/options.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { checkPredict } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { type Dense, type Network, forward, glorotUniform } from '../network/network.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { softmaxRows } from './linear.ts';
import { TRAINING_OPTIONS, trainHeadNetwork, type StartNetwork, type TrainedNetwork } from './trained-network.ts';

/** Options of the head `mlp`: those of `softmax`, with a tenth held out by default, for a hidden layer overfits. */
export const MLP_OPTIONS = {
  hiddenUnits: integerOption(64, 'units of the hidden layer', { min: 1 }),
  ...TRAINING_OPTIONS,
  validationFraction: numberOption(0.1, TRAINING_OPTIONS.validationFraction.describe, { min: 0, max: 0.9 }),
};

const NAME = 'mlp';

/**
 * One hidden layer of ReLUs and a softmax, trained by Adam with early stopping; `iterations` are epochs. Throws
 * OPTION_INVALID; `fit` throws FIT_INVALID, and INTERRUPTED.
 */
export function mlpHead(options: Partial<OptionsOf<typeof MLP_OPTIONS>> = {}): Head {
  const params = resolveOptions(`The head "${NAME}"`, MLP_OPTIONS, options);
  const self = { name: NAME, params };
  const start: StartNetwork = (features, classes, source) => [
    glorotUniform(features, params.hiddenUnits, source),
    glorotUniform(params.hiddenUnits, classes, source),
  ];
  const fitted = ({ facts, network }: TrainedNetwork): FittedHead => fittedMlp(facts, network);
  return {
    ...self,
    drawsViews: true,
    holdsOut: params.validationFraction > 0,
    fit: async (rows, y, context) => fitted(await trainHeadNetwork(self, params, start, rows, y, context)),
  };
}

/** The head in `state`. Throws HEAD_CORRUPT. */
export function loadMlp(state: HeadState): FittedHead {
  const facts = factsOf(state);
  const hidden = matrixOf(state, 'hiddenWeights', undefined, facts.features);
  const k = facts.classes.length;
  const network = [
    { weights: hidden, bias: matrixOf(state, 'hiddenBias', 1, hidden.rows).data },
    { weights: matrixOf(state, 'weights', k, hidden.rows), bias: matrixOf(state, 'bias', 1, k).data },
  ];
  return fittedMlp(facts, network);
}

function fittedMlp(facts: FittedFacts, network: Network): FittedHead {
  const [hidden, out] = network as readonly [Dense, Dense];
  const logits = async (X: Matrix): Promise<Matrix> => {
    checkPredict(`The head "${NAME}"`, X, facts.features);
    const passed = await forward(network, X);
    return matrix(X.rows, facts.classes.length, new Float32Array(passed.logits));
  };
  return {
    ...facts,
    predictProba: async (X) => softmaxRows(await logits(X)),
    logits,
    state: stateOf(
      facts,
      new Map([
        ['hiddenWeights', tensorOf(hidden.weights)],
        ['hiddenBias', { shape: [1, hidden.bias.length], data: hidden.bias }],
        ['weights', tensorOf(out.weights)],
        ['bias', { shape: [1, out.bias.length], data: out.bias }],
      ]),
    ),
  };
}
