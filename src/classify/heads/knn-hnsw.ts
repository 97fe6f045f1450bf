import type { Matrix } from '../../core/matrix.ts';
import { type OptionsOf, integerOption, resolveOptions } from '../../core/options.ts';
import { matrixRows } from '../../core/rows.ts';
import { checkFit, checkNeighbors, requireMatrix } from '../checks.ts';
import type { FitContext, FittedHead, Head, HeadState } from '../head.ts';
import { hnswIndex } from '../neighbors/hnsw.ts';
import type { FittedFacts } from './fitted-state.ts';
import { fittedVoters, loadVoters, VOTER_OPTIONS } from './voters.ts';

/** Options of the head `knn-hnsw`: those of `knn`, and hnswlib's with its defaults. */
export const KNN_HNSW_OPTIONS = {
  ...VOTER_OPTIONS,
  M: integerOption(16, 'links of a row on each layer of the graph', { min: 2, max: 1024 }),
  efConstruction: integerOption(200, 'candidates kept while the graph is built', { min: 1 }),
  efSearch: integerOption(50, 'candidates kept while searching', { min: 1 }),
  seed: integerOption(
    1,
    'seed of the graph, and of the rows that are inserted last, on which its recall is measured before',
    { min: 0 },
  ),
};
type KnnHnswOptions = OptionsOf<typeof KNN_HNSW_OPTIONS>;

const NAME = 'knn-hnsw';
const resolved = (options: Partial<KnnHnswOptions>) => resolveOptions(`The head "${NAME}"`, KNN_HNSW_OPTIONS, options);

/** Why it cannot be fitted block by block. */
const IN_MEMORY_ONLY = 'its graph keeps all rows at once';

/**
 * `knn` with approximate search by hnswlib-node. The graph is rebuilt at load; its recall against exact search, on rows
 * that it does not hold yet, is noted. Throws OPTION_INVALID; `fit` throws FIT_INVALID as `knn`, PACKAGE_MISSING,
 * INTERRUPTED.
 */
export function knnHnswHead(options: Partial<KnnHnswOptions> = {}): Head {
  const params = resolved(options);
  return {
    name: NAME,
    params,
    inMemoryOnly: IN_MEMORY_ONLY,
    async fit(given, y, context) {
      const X = requireMatrix(`The head "${NAME}"`, given, IN_MEMORY_ONLY);
      const { classes, indices } = checkFit(X, y);
      checkNeighbors(params.nNeighbors, X.rows);
      const facts = { name: NAME, params, classes, features: X.cols, converged: true, iterations: 0, notes: [] };
      return withGraph(facts, { X: { ...X, data: X.data.slice() }, labels: indices }, params, context);
    },
  };
}

/** The head in `state`. Throws HEAD_CORRUPT, PACKAGE_MISSING. */
export async function loadKnnHnsw(state: HeadState): Promise<FittedHead> {
  const { facts, voters } = loadVoters(state);
  return withGraph(facts, { X: voters.rows.matrix!, labels: voters.labels }, resolved(facts.params));
}

async function withGraph(
  facts: FittedFacts,
  { X, labels }: { readonly X: Matrix; readonly labels: Int32Array },
  params: KnnHnswOptions,
  context?: FitContext,
): Promise<FittedHead> {
  const { index, recall } = await hnswIndex(X, params, params.nNeighbors, context);
  const notes = recall
    ? [
        `recall@${recall.k} against exact search: ${recall.recall.toFixed(4)}, on ${recall.queries} training rows before the graph had them`,
      ]
    : [];
  return fittedVoters({ ...facts, notes }, { rows: matrixRows(X), labels }, index, params);
}
