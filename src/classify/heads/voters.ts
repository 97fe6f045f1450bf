import type { Matrix } from '../../core/matrix.ts';
import { type OptionsOf, choiceOption, integerOption } from '../../core/options.ts';
import { checkPredict } from '../checks.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { type NeighborIndex, METRICS } from '../neighbors/neighbor-index.ts';
import { type FittedFacts, factsOf, indicesOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { VOTE_WEIGHTS, voteShares } from './votes.ts';

/**
 * Options of all heads whose training rows vote: scikit-learn's names and meaning; cosine by default, which suits ReLU
 * features.
 */
export const VOTER_OPTIONS = {
  nNeighbors: integerOption(5, 'neighbours that vote', { min: 1 }),
  metric: choiceOption(METRICS, 'cosine', 'distance between features'),
  weights: choiceOption(VOTE_WEIGHTS, 'uniform', 'one vote each, or votes by 1 / distance'),
};

/** The training rows (n, d) with the class index of each. */
export interface Voters {
  /** Undefined where they stay in a store and are read in streams. */
  readonly rows: Matrix | undefined;
  readonly labels: Int32Array;
}

/** Training rows that the head itself holds. */
export interface HeldVoters extends Voters {
  readonly rows: Matrix;
}

/** A head whose nearest training rows, found by `index`, vote. */
export function fittedVoters(
  facts: FittedFacts,
  { rows, labels }: Voters,
  index: NeighborIndex,
  { nNeighbors, weights }: OptionsOf<typeof VOTER_OPTIONS>,
): FittedHead {
  return {
    ...facts,
    async predictProba(X) {
      checkPredict(`The head "${facts.name}"`, X, facts.features);
      return voteShares(await index.search(X, nNeighbors), labels, facts.classes.length, weights);
    },
    state: stateOf(
      facts,
      new Map<string, ReturnType<typeof tensorOf> | { shape: number[]; data: Int32Array }>([
        ...(rows === undefined ? [] : ([['rows', tensorOf(rows)]] as const)),
        ['labels', { shape: [labels.length], data: labels }],
      ]),
    ),
  };
}

/** What `fittedVoters` stored with its rows. Throws HEAD_CORRUPT. */
export function loadVoters(state: HeadState): {
  facts: FittedFacts;
  voters: HeldVoters;
} {
  const facts = factsOf(state);
  const rows = matrixOf(state, 'rows', undefined, facts.features);
  return { facts, voters: { rows, labels: indicesOf(state, 'labels', rows.rows, facts.classes.length) } };
}
