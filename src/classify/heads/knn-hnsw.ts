import { type OptionsOf, integerOption, resolveOptions } from '../../core/options.ts';
import { checkFit, checkNeighbors } from '../checks.ts';
import type { FitContext, FittedHead, Head, HeadState } from '../head.ts';
import { hnswIndex } from '../neighbors/hnsw.ts';
import { measureRecall } from '../neighbors/recall.ts';
import type { FittedFacts } from './fitted-state.ts';
import { type HeldVoters, fittedVoters, loadVoters, VOTER_OPTIONS } from './voters.ts';

/** Options of the head `knn-hnsw`: those of `knn`, and hnswlib's with its defaults. */
export const KNN_HNSW_OPTIONS = {
  ...VOTER_OPTIONS,
  M: integerOption(16, 'links of a row on each layer of the graph', { min: 2, max: 1024 }),
  efConstruction: integerOption(200, 'candidates kept while the graph is built', { min: 1 }),
  efSearch: integerOption(50, 'candidates kept while searching', { min: 1 }),
  seed: integerOption(1, 'seed of the graph, and of the rows that its recall is measured on', { min: 0 }),
};
type KnnHnswOptions = OptionsOf<typeof KNN_HNSW_OPTIONS>;

const NAME = 'knn-hnsw';
const resolved = (options: Partial<KnnHnswOptions>) =>
  resolveOptions(`The head "${NAME}"`, KNN_HNSW_OPTIONS, options);

/** Rows that recall is measured on: at recall 0.95 and k = 5 the standard error is 0.007. */
const RECALL_SAMPLE = 200;

/**
 * `knn` with approximate search by hnswlib-node. The graph is no part of its state: it is built again from the rows
 * when the head is loaded; each time its recall against exact search is measured and told in the notes. Throws
 * OPTION_INVALID; `fit` throws FIT_INVALID as `knn`, PACKAGE_MISSING, INTERRUPTED.
 */
export function knnHnswHead(options: Partial<KnnHnswOptions> = {}): Head {
  const params = resolved(options);
  return {
    name: NAME,
    params,
    async fit(X, y, context) {
      const { classes, indices } = checkFit(X, y);
      checkNeighbors(params.nNeighbors, X.rows);
      const facts = {
        name: NAME,
        params,
        classes,
        features: X.cols,
        converged: true,
        iterations: 0,
        notes: [],
      };
      return withGraph(facts, { rows: { ...X, data: X.data.slice() }, labels: indices }, params, context);
    },
  };
}

/** The head in `state`. Throws HEAD_CORRUPT, PACKAGE_MISSING. */
export async function loadKnnHnsw(state: HeadState): Promise<FittedHead> {
  const { facts, voters } = loadVoters(state);
  return withGraph(facts, voters, resolved(facts.params));
}

async function withGraph(
  facts: FittedFacts,
  voters: HeldVoters,
  params: KnnHnswOptions,
  context?: FitContext,
): Promise<FittedHead> {
  const index = await hnswIndex(voters.rows, params, context);
  const { recall, queries, k } = await measureRecall(index, voters.rows, {
    k: params.nNeighbors,
    sample: RECALL_SAMPLE,
    seed: params.seed,
  });
  const note = `recall@${k} against exact search: ${recall.toFixed(4)}, on ${queries} training rows`;
  return fittedVoters({ ...facts, notes: [note] }, voters, index, params);
}
