import { PermafrostError } from '../../core/errors.ts';
import type { Rows } from '../../core/rows.ts';
import { checkLabels, checkPredict } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { imagesOfRows } from '../network/images-of-rows.ts';
import { type Pca, applyPca, fitPca, pcaBytes, projectedRows } from '../pca.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';

/**
 * A head on the first `width` principal components of the rows that it is fitted on. It has the inner head's name, and
 * `pca` in its params. Throws as the inner head; `fit` throws FIT_INVALID for fewer rows or columns than components.
 */
export function pcaHead(width: number, inner: Head): Head {
  const params = { ...inner.params, pca: width };
  return {
    name: inner.name,
    params,
    ...(inner.inMemoryOnly !== undefined && { inMemoryOnly: inner.inMemoryOnly }),
    bytesOf: (shape) => pcaBytes(shape) + (inner.bytesOf?.({ ...shape, cols: width }) ?? 0),
    async fit(rows, y, context) {
      checkLabels(rows, y);
      const pca = await fitPca(rows, width, context);
      // Equal rows may differ in the last bit of their components: they are found before.
      const images = inner.holdsOut ? await imagesOfRows(rows, context?.images) : undefined;
      return onComponents(
        pca,
        await inner.fit(await projectedRows(pca, rows), y, images ? { ...context, images } : context),
      );
    },
  };
}

/** Whether a head's state is that of a head on principal components. */
export const isOnComponents = ({ json }: HeadState): boolean => json.pca !== undefined;

/**
 * The head in `state`; `load` makes the inner one. `rows`: normalised training rows of a head that left them in a
 * store. Throws HEAD_CORRUPT, and what `load` throws.
 */
export async function loadOnComponents(
  state: HeadState,
  load: (inner: HeadState, rows?: Rows) => FittedHead | Promise<FittedHead>,
  rows?: Rows,
): Promise<FittedHead> {
  const facts = factsOf(state);
  const { pca, head } = state.json as { pca?: { width?: unknown; kept?: unknown }; head?: unknown };
  if (typeof pca?.width !== 'number' || typeof pca.kept !== 'number' || typeof head !== 'object') {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      'The stored head lacks its principal components or the head on them. Train it again.',
    );
  }
  const tensors = [...state.tensors].flatMap(([name, tensor]) =>
    name.startsWith('head/') ? [[name.slice(5), tensor] as const] : [],
  );
  const components = matrixOf(state, 'pca/components', facts.features, pca.width);
  const mean = matrixOf(state, 'pca/mean', 1, facts.features).data;
  const projection = { mean, components, kept: pca.kept };
  const inner = await load(
    { json: (head ?? {}) as HeadState['json'], tensors: new Map(tensors) },
    rows && (await projectedRows(projection, rows)),
  );
  if (inner.features !== pca.width) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored head takes ${inner.features} principal components and has ${pca.width}. Train it again.`,
    );
  }
  return onComponents(projection, inner);
}

function onComponents(pca: Pca, inner: FittedHead): FittedHead {
  const features = pca.components.rows;
  const width = pca.components.cols;
  const facts: FittedFacts = {
    name: inner.name,
    params: { ...inner.params, pca: width },
    classes: inner.classes,
    features,
    converged: inner.converged,
    iterations: inner.iterations,
    ...(inner.learningCurve && { learningCurve: inner.learningCurve }),
    notes: [`${width} principal components keep ${(100 * pca.kept).toFixed(1)} % of the variance`, ...inner.notes],
  };
  return {
    ...facts,
    ...(inner.leavesRows && { leavesRows: true }),
    ...(inner.leastShare !== undefined && { leastShare: inner.leastShare }),
    async predictProba(X) {
      checkPredict(`The head "${facts.name}"`, X, features);
      return inner.predictProba(await applyPca(pca, X));
    },
    ...(inner.logits && {
      async logits(X) {
        checkPredict(`The head "${facts.name}"`, X, features);
        return inner.logits!(await applyPca(pca, X));
      },
    }),
    state: stateOf(
      facts,
      new Map([
        ['pca/components', tensorOf(pca.components)],
        ['pca/mean', { shape: [1, features], data: pca.mean }],
        ...[...inner.state.tensors].map(([name, tensor]) => [`head/${name}`, tensor] as const),
      ]),
      { pca: { width, kept: pca.kept }, head: inner.state.json },
    ),
  };
}
