import { PermafrostError } from '../../core/errors.ts';
import { type OptionsOf, choiceOption, integerOption } from '../../core/options.ts';
import { matrixRows, type Rows } from '../../core/rows.ts';
import { checkPredict } from '../checks.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { type NeighborIndex, METRICS } from '../neighbors/neighbor-index.ts';
import { type FittedFacts, factsOf, indicesOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { leastShareOf, VOTE_WEIGHTS, voteShares } from './votes.ts';

/** Options of heads whose rows vote: scikit-learn's names and meaning; cosine by default, which suits ReLU features. */
export const VOTER_OPTIONS = {
  nNeighbors: integerOption(5, 'neighbours that vote', { min: 1 }),
  metric: choiceOption(METRICS, 'cosine', 'distance between features'),
  weights: choiceOption(VOTE_WEIGHTS, 'uniform', 'one vote each, or votes by 1 / distance'),
};

/** The training rows (n, d), in memory or left in a store, with the class index of each. */
export interface Voters {
  readonly rows: Rows;
  readonly labels: Int32Array;
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
    leastShare: leastShareOf({ nNeighbors })!,
    ...(rows.matrix === undefined && { leavesRows: true }),
    async predictProba(X) {
      checkPredict(`The head "${facts.name}"`, X, facts.features);
      return voteShares(await index.search(X, nNeighbors), labels, facts.classes.length, weights);
    },
    state: stateOf(
      facts,
      new Map<string, ReturnType<typeof tensorOf> | { shape: number[]; data: Int32Array }>([
        ...(rows.matrix === undefined ? [] : ([['rows', tensorOf(rows.matrix)]] as const)),
        ['labels', { shape: [labels.length], data: labels }],
      ]),
    ),
  };
}

/** What `fittedVoters` stored; `given` are the rows of a state that does not hold them. Throws HEAD_CORRUPT. */
export function loadVoters(state: HeadState, given?: Rows): { facts: FittedFacts; voters: Voters } {
  const facts = factsOf(state);
  const isLeft = given !== undefined && !state.tensors.has('rows');
  const rows = isLeft ? given : matrixRows(matrixOf(state, 'rows', undefined, facts.features));
  if (rows.cols !== facts.features) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored head takes ${facts.features} features a row, its training rows have ${rows.cols}. Train it again.`,
    );
  }
  return { facts, voters: { rows, labels: indicesOf(state, 'labels', rows.rows, facts.classes.length) } };
}
