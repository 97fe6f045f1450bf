import { type OptionsOf, resolveOptions } from '../../core/options.ts';
import { blocksOf, matrixRows, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite, checkLabels, checkNeighbors } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { exactIndex } from '../neighbors/exact.ts';
import { ROWS_STAY } from './fitted-state.ts';
import { fittedVoters, loadVoters, VOTER_OPTIONS } from './voters.ts';

/** Options of the head `knn`. */
export const KNN_OPTIONS = VOTER_OPTIONS;

const NAME = 'knn';
const resolved = (options: Partial<OptionsOf<typeof KNN_OPTIONS>>) =>
  resolveOptions(`The head "${NAME}"`, KNN_OPTIONS, options);

/**
 * The k nearest training rows vote, found exactly. The state holds rows in memory; rows in blocks stay where they are,
 * and each answer reads them once. Throws OPTION_INVALID; `fit` throws FIT_INVALID for fewer rows than neighbours.
 */
export function knnHead(options: Partial<OptionsOf<typeof KNN_OPTIONS>> = {}): Head {
  const params = resolved(options);
  return {
    name: NAME,
    params,
    async fit(given, y, context) {
      const { classes, indices } = checkLabels(given, y);
      checkNeighbors(params.nNeighbors, given.rows);
      for await (const { start, X } of blocksOf(given)) {
        checkAborted(context);
        checkFinite(X, start);
      }
      // A copy: the caller may change a matrix later, a fitted head must not.
      const rows = given.matrix ? matrixRows({ ...given.matrix, data: given.matrix.data.slice() }) : given;
      const notes = given.matrix ? [] : [ROWS_STAY];
      const facts = { name: NAME, params, classes, features: rows.cols, converged: true, iterations: 0, notes };
      return fittedVoters(facts, { rows, labels: indices }, exactIndex(rows, params.metric), params);
    },
  };
}

/** The head in `state`; `given` are its training rows where the state does not hold them. Throws HEAD_CORRUPT. */
export function loadKnn(state: HeadState, given?: Rows): FittedHead {
  const { facts, voters } = loadVoters(state, given);
  const params = resolved(facts.params);
  return fittedVoters(facts, voters, exactIndex(voters.rows, params.metric), params);
}
