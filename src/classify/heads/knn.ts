import type { RowSource } from '../../core/row-source.ts';
import { type OptionsOf, resolveOptions } from '../../core/options.ts';
import { checkFit, checkNeighbors } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { fitStreamedKnn, loadStreamedKnn } from './streamed-knn.ts';
import { factsOf } from './fitted-state.ts';
import { exactIndex } from '../neighbors/exact.ts';
import { fittedVoters, loadVoters, VOTER_OPTIONS } from './voters.ts';

/** Options of the head `knn`. */
export const KNN_OPTIONS = VOTER_OPTIONS;

const NAME = 'knn';
const resolved = (options: Partial<OptionsOf<typeof KNN_OPTIONS>>) =>
  resolveOptions(`The head "${NAME}"`, KNN_OPTIONS, options);

/**
 * The k nearest training rows vote, found exactly. Its state holds all training rows. Throws OPTION_INVALID; `fit`
 * throws FIT_INVALID when there are fewer rows than neighbours.
 */
export function knnHead(options: Partial<OptionsOf<typeof KNN_OPTIONS>> = {}): Head {
  const params = resolved(options);
  return {
    name: NAME,
    params,
    // Async although nothing is awaited: what is wrong with the input must be a rejection.
    async fit(X, y) {
      const { classes, indices } = checkFit(X, y);
      checkNeighbors(params.nNeighbors, X.rows);
      // A copy: the caller may change X later, a fitted head must not.
      const rows = { ...X, data: X.data.slice() };
      const facts = {
        name: NAME,
        params,
        classes,
        features: X.cols,
        converged: true,
        iterations: 0,
        notes: [],
      };
      const index = exactIndex(rows, params.metric);
      return Promise.resolve(fittedVoters(facts, { rows, labels: indices }, index, params));
    },
    keepsRows: true,
    fitStream: (source, y) => fitStreamedKnn({ name: NAME, params }, params, source, y),
  };
}

/** The head in `state`; `rows` are its training rows where the state does not hold them. Throws HEAD_CORRUPT. */
export function loadKnn(state: HeadState, rows?: RowSource): FittedHead {
  if (rows !== undefined && !state.tensors.has('rows')) {
    const facts = factsOf(state);
    return loadStreamedKnn(facts, resolved(facts.params), state, rows);
  }
  const { facts, voters } = loadVoters(state);
  const params = resolved(facts.params);
  return fittedVoters(facts, voters, exactIndex(voters.rows, params.metric), params);
}
