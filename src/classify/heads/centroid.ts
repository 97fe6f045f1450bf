import type { Matrix } from '../../core/matrix.ts';
import { matrix } from '../../core/matrix.ts';
import type { OptionsOf } from '../../core/options.ts';
import { choiceOption, numberOption, resolveOptions } from '../../core/options.ts';
import { checkFit, checkPredict } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { countClasses } from '../labels.ts';
import { timesThin, transposedTimesThin } from '../linalg-thin.ts';
import { lengthsOf, productDistance } from '../neighbors/distance.ts';
import type { Metric } from '../neighbors/neighbor-index.ts';
import { METRICS } from '../neighbors/neighbor-index.ts';
import type { FittedFacts } from './fitted-state.ts';
import { factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
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
 * The class whose mean is nearest, as scikit-learn's NearestCentroid; for cosine the mean of the rows at length 1. The order of
 * the probabilities is that of the distances; how sure they look is a matter of `scale`, not fitted. Throws OPTION_INVALID.
 */
export function centroidHead(options: Partial<OptionsOf<typeof CENTROID_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "centroid"', CENTROID_OPTIONS, options);
  return {
    name: 'centroid',
    params,
    async fit(X, y) {
      const { classes, indices } = checkFit(X, y);
      const k = classes.length;
      const centroids = await classMeans(X, indices, k, params.metric);
      const distances = await distancesTo(centroids, X, params.metric);
      const mean = indices.reduce((sum, c, i) => sum + distances[i * k + c]! / X.rows, 0);
      const facts = {
        name: 'centroid',
        params,
        classes,
        features: X.cols,
        converged: true,
        iterations: 0,
        notes: [],
      };
      // With one row a class every row is its own centroid, and there is no spread to measure by.
      return fittedCentroid(facts, centroids, Math.fround(mean) || 1);
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
      const scores = Float32Array.from(distances, (far) => (-scale * far) / unit);
      return softmaxRows(matrix(X.rows, centroids.cols, scores));
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

/** Mean row of each class, a column each, shape (d, classes). */
async function classMeans(X: Matrix, indices: Int32Array, classes: number, metric: Metric): Promise<Matrix> {
  const counts = countClasses(indices, classes);
  const lengths = lengthsOf(X);
  const shares = new Float64Array(X.rows * classes);
  indices.forEach((c, i) => {
    const length = metric === 'cosine' && lengths[i]! > 0 ? lengths[i]! : 1;
    shares[i * classes + c] = 1 / (counts[c]! * length);
  });
  const means = await transposedTimesThin(X, shares, classes, 'float64');
  return matrix(X.cols, classes, new Float32Array(means));
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
    const key = productDistance(
      metric,
      product,
      lengths[Math.floor(at / k)]!,
      Math.sqrt(centroidLengths[at % k]!),
    );
    return metric === 'cosine' ? key : Math.sqrt(Math.max(0, key));
  });
}
