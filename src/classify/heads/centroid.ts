import { type Matrix, matrix } from '../../core/matrix.ts';
import { type OptionsOf, choiceOption, numberOption, resolveOptions } from '../../core/options.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';
import { checkAborted, checkFinite, checkLabels, checkPredict } from '../checks.ts';
import type { FitContext, FittedHead, Head, HeadState } from '../head.ts';
import { countClasses } from '../labels.ts';
import { timesThin, transposedTimesThin } from '../linalg/thin.ts';
import { lengthsOf, productDistance } from '../neighbors/distance.ts';
import { type Metric, METRICS } from '../neighbors/neighbor-index.ts';
import { addScaled } from '../linalg/vectors.ts';
import { type FittedFacts, factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { softmaxRows } from './linear.ts';

/** Options of the head `centroid`. */
export const CENTROID_OPTIONS = {
  metric: choiceOption(METRICS, 'cosine', 'distance between features'),
  scale: numberOption(
    10,
    "probabilities are softmax(-scale * distance / unit), unit the training rows' mean distance to their own centroid",
    { above: 0 },
  ),
};

/**
 * The class whose mean is nearest, as scikit-learn's NearestCentroid; for cosine the mean of rows at length 1.
 * Probabilities follow the distances; how sure they look depends on `scale`, not fitted. Throws OPTION_INVALID.
 */
export function centroidHead(options: Partial<OptionsOf<typeof CENTROID_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "centroid"', CENTROID_OPTIONS, options);
  return {
    name: 'centroid',
    params,
    /** Two passes: for the class means, and for the rows' mean distance to them. */
    async fit(rows, y, context) {
      const { classes, indices } = checkLabels(rows, y);
      const k = classes.length;
      const centroids = await classMeans(rows, indices, k, params.metric, context);
      let mean = 0;
      for await (const { start, X } of blocksOf(rows)) {
        checkAborted(context);
        const distances = await distancesTo(centroids, X, params.metric);
        for (let i = 0; i < X.rows; i++) mean += distances[i * k + indices[start + i]!]! / rows.rows;
      }
      const facts = { name: 'centroid', params, classes, features: rows.cols };
      const notes: string[] = [];
      // With one row a class every row is its own centroid, and there is no distance to measure by.
      const unit = Math.fround(mean) || 1;
      return fittedCentroid({ ...facts, converged: true, iterations: 0, notes }, centroids, unit);
    },
  };
}

/** The head in `state`. Throws HEAD_CORRUPT. */
export function loadCentroid(state: HeadState): FittedHead {
  const facts = factsOf(state);
  const unit = matrixOf(state, 'unit', 1, 1).data[0]!;
  return fittedCentroid(facts, matrixOf(state, 'centroids', facts.features, facts.classes.length), unit);
}

function fittedCentroid(facts: FittedFacts, centroids: Matrix, unit: number): FittedHead {
  const { metric, scale } = resolveOptions('The head "centroid"', CENTROID_OPTIONS, facts.params);
  return {
    ...facts,
    async predictProba(X) {
      checkPredict('The head "centroid"', X, facts.features);
      const distances = await distancesTo(centroids, X, metric);
      const logits = Float32Array.from(distances, (far) => (-scale * far) / unit);
      return softmaxRows(matrix(X.rows, centroids.cols, logits));
    },
    state: stateOf(
      facts,
      new Map([
        ['centroids', tensorOf(centroids)],
        ['unit', { shape: [1, 1], data: Float32Array.of(unit) }],
      ]),
    ),
  };
}

/** Mean row of each class, a column each, shape (d, classes). Throws FIT_INVALID for values that are not finite. */
async function classMeans(
  rows: Rows,
  indices: Int32Array,
  classes: number,
  metric: Metric,
  context?: FitContext,
): Promise<Matrix> {
  const counts = countClasses(indices, classes);
  const means = new Float64Array(rows.cols * classes);
  for await (const { start, X } of blocksOf(rows)) {
    checkAborted(context);
    checkFinite(X, start);
    const lengths = lengthsOf(X);
    const weights = new Float64Array(X.rows * classes);
    for (let i = 0; i < X.rows; i++) {
      const c = indices[start + i]!;
      const length = metric === 'cosine' && lengths[i]! > 0 ? lengths[i]! : 1;
      weights[i * classes + c] = 1 / (counts[c]! * length);
    }
    addScaled(means, 1, await transposedTimesThin(X, weights, classes, 'float64'));
  }
  return matrix(rows.cols, classes, new Float32Array(means));
}

/** Distance of each row of X to each column of `centroids`, shape (n, classes). */
async function distancesTo(centroids: Matrix, X: Matrix, metric: Metric): Promise<Float64Array> {
  const k = centroids.cols;
  const columns = new Float64Array(centroids.data);
  const centroidLengths = new Float64Array(k);
  for (let at = 0; at < columns.length; at++) centroidLengths[at % k]! += columns[at]! ** 2;
  const products = await timesThin(X, columns, k, 'float64');
  const lengths = lengthsOf(X);
  return products.map((product, at) => {
    const key = productDistance(metric, product, lengths[Math.floor(at / k)]!, Math.sqrt(centroidLengths[at % k]!));
    return metric === 'cosine' ? key : Math.sqrt(Math.max(0, key));
  });
}
