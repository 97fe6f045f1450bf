import type { OptionsOf } from '../../core/options.ts';
import { blocksOf, type RowSource } from '../../core/row-source.ts';
import { PermafrostError } from '../../core/errors.ts';
import { checkFinite, checkLabels, checkNeighbors } from '../checks.ts';
import type { FittedHead, HeadState } from '../head.ts';
import { indicesOf, type FittedFacts } from './fitted-state.ts';
import { fittedVoters, type VOTER_OPTIONS } from './voters.ts';
import { streamedIndex } from '../neighbors/streamed-index.ts';

type Options = OptionsOf<typeof VOTER_OPTIONS>;

/**
 * The head `knn` on rows that are read in blocks, normalised: they stay where they are, and each answer reads them
 * once. Its state holds the labels alone; `loadHead` needs the same rows again. Throws FIT_INVALID.
 */
export async function fitStreamedKnn(
  self: Pick<FittedHead, 'name' | 'params'>,
  options: Options,
  source: RowSource,
  y: readonly string[],
): Promise<FittedHead> {
  const { classes, indices } = checkLabels(source, y);
  checkNeighbors(options.nNeighbors, source.rows);
  for await (const { X } of blocksOf(source)) checkFinite(X);
  const notes = ['the training rows stay in the store: each prediction reads them once'];
  const facts = { ...self, classes, features: source.cols, converged: true, iterations: 0, notes };
  const index = streamedIndex(source, options.metric);
  return fittedVoters(facts, { rows: undefined, labels: indices }, index, options);
}

/**
 * The head whose state holds no rows, with these. Throws HEAD_CORRUPT where they are not as many, or as wide, as those
 * that it was fitted on.
 */
export function loadStreamedKnn(
  facts: FittedFacts,
  options: Options,
  state: HeadState,
  source: RowSource,
): FittedHead {
  if (source.cols !== facts.features) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored head takes ${facts.features} features a row, its training rows have ${source.cols}. Train it again.`,
    );
  }
  const labels = indicesOf(state, 'labels', source.rows, facts.classes.length);
  const index = streamedIndex(source, options.metric);
  return fittedVoters(facts, { rows: undefined, labels }, index, options);
}
