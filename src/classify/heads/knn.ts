import type { Matrix } from '../../core/matrix.ts';
import type { OptionsOf } from '../../core/options.ts';
import { choiceOption, integerOption, resolveOptions } from '../../core/options.ts';
import { checkFit, checkNeighbors, checkPredict } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { exactIndex } from '../neighbors/exact.ts';
import { METRICS } from '../neighbors/neighbor-index.ts';
import type { FittedFacts } from './fitted-state.ts';
import { factsOf, indicesOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { VOTE_WEIGHTS, voteShares } from './votes.ts';

/** Options of the head `knn`: names and meaning are scikit-learn's; the metric's default is cosine, which suits ReLU features. */
export const KNN_OPTIONS = {
  nNeighbors: integerOption(5, 'neighbours that vote', { min: 1 }),
  metric: choiceOption(METRICS, 'cosine', 'distance between features'),
  weights: choiceOption(VOTE_WEIGHTS, 'uniform', 'one vote each, or votes by 1 / distance'),
};

/**
 * The k nearest training rows vote, found exactly. Its state holds all training rows. Throws OPTION_INVALID; `fit` throws FIT_INVALID
 * when there are fewer rows than neighbours.
 */
export function knnHead(options: Partial<OptionsOf<typeof KNN_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "knn"', KNN_OPTIONS, options);
  return {
    name: 'knn',
    params,
    fit(X, y) {
      const { classes, indices } = checkFit(X, y);
      checkNeighbors(params.nNeighbors, X.rows);
      const facts = {
        name: 'knn',
        params,
        classes,
        features: X.cols,
        converged: true,
        iterations: 0,
        notes: [],
      };
      // A copy: the caller may change X later, a fitted head must not.
      return Promise.resolve(fittedKnn(facts, { ...X, data: X.data.slice() }, indices));
    },
  };
}

/** The head in `state`. Throws HEAD_CORRUPT. */
export function loadKnn(state: HeadState): FittedHead {
  const facts = factsOf(state);
  const rows = matrixOf(state, 'rows', undefined, facts.features);
  return fittedKnn(facts, rows, indicesOf(state, 'labels', rows.rows, facts.classes.length));
}

function fittedKnn(facts: FittedFacts, rows: Matrix, labels: Int32Array): FittedHead {
  const params = resolveOptions('The head "knn"', KNN_OPTIONS, facts.params);
  const index = exactIndex(rows, params.metric);
  return {
    ...facts,
    async predictProba(X) {
      checkPredict('The head "knn"', X, facts.features);
      const neighbors = await index.search(X, params.nNeighbors);
      return voteShares(neighbors, labels, facts.classes.length, params.weights);
    },
    state: stateOf(
      facts,
      new Map<string, ReturnType<typeof tensorOf> | { shape: number[]; data: Int32Array }>([
        ['rows', tensorOf(rows)],
        ['labels', { shape: [labels.length], data: labels }],
      ]),
    ),
  };
}
