import type { Matrix } from '../../core/matrix.ts';
import { matrix, row } from '../../core/matrix.ts';
import type { OptionsOf } from '../../core/options.ts';
import { choiceOption, numberOption, resolveOptions } from '../../core/options.ts';
import { checkFit, checkPredict } from '../checks.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { countClasses } from '../labels.ts';
import { distance, lengthsOf } from '../neighbors/distance.ts';
import { METRICS } from '../neighbors/neighbor-index.ts';
import type { FittedFacts } from './fitted-state.ts';
import { factsOf, matrixOf, stateOf, tensorOf } from './fitted-state.ts';
import { softmaxRows } from './linear.ts';

/** Options of the head `centroid`. */
export const CENTROID_OPTIONS = {
  metric: choiceOption(METRICS, 'cosine', 'distance between features'),
  scale: numberOption(
    10,
    'probabilities are softmax(-scale * distance / mean distance of the training rows to their own centroid)',
    { above: 0 },
  ),
};

/**
 * The class whose mean is nearest (scikit-learn's NearestCentroid; for cosine the mean of the rows scaled to length 1). The order of
 * the probabilities is the order of the distances; their size is a matter of `scale`, not of a fitted model.
 */
export function centroidHead(options: Partial<OptionsOf<typeof CENTROID_OPTIONS>> = {}): Head {
  const params = resolveOptions('The head "centroid"', CENTROID_OPTIONS, options);
  return {
    name: 'centroid',
    params,
    fit(X, y) {
      const { classes, indices } = checkFit(X, y);
      const centroids = meansOf(X, indices, classes.length, params.metric === 'cosine');
      const distances = distancesTo(centroids, X, params.metric);
      let sum = 0;
      indices.forEach((c, i) => (sum += distances.data[i * classes.length + c]!));
      // One row a class: every row is its own centroid, and the unit is 1.
      const unit = sum > 0 ? sum / X.rows : 1;
      const facts = {
        name: 'centroid',
        params,
        classes,
        features: X.cols,
        converged: true,
        iterations: 0,
        notes: [],
      };
      return Promise.resolve(fittedCentroid(facts, centroids, unit));
    },
  };
}

/** The head in `state`. Throws HEAD_CORRUPT. */
export function loadCentroid(state: HeadState): FittedHead {
  const facts = factsOf(state);
  const unit = matrixOf(state, 'unit', 1, 1).data[0]!;
  return fittedCentroid(facts, matrixOf(state, 'centroids', facts.classes.length, facts.features), unit);
}

function fittedCentroid(facts: FittedFacts, centroids: Matrix, unit: number): FittedHead {
  const { metric, scale } = resolveOptions('The head "centroid"', CENTROID_OPTIONS, facts.params);
  const stored = Math.fround(unit);
  return {
    ...facts,
    predictProba(X) {
      checkPredict('The head "centroid"', X, facts.features);
      const distances = distancesTo(centroids, X, metric);
      return Promise.resolve(
        softmaxRows({ ...distances, data: distances.data.map((far) => (-scale * far) / stored) }),
      );
    },
    state: stateOf(
      facts,
      new Map([
        ['centroids', tensorOf(centroids)],
        ['unit', { shape: [1, 1], data: Float32Array.of(stored) }],
      ]),
    ),
  };
}

function meansOf(X: Matrix, indices: Int32Array, classes: number, unitLength: boolean): Matrix {
  const counts = countClasses(indices, classes);
  const lengths = lengthsOf(X);
  const sums = new Float64Array(classes * X.cols);
  for (let i = 0, at = 0; i < X.rows; i++) {
    const start = indices[i]! * X.cols;
    const scale = unitLength && lengths[i]! > 0 ? 1 / lengths[i]! : 1;
    for (let j = 0; j < X.cols; j++, at++) sums[start + j]! += X.data[at]! * scale;
  }
  return matrix(
    classes,
    X.cols,
    Float32Array.from(sums, (sum, at) => sum / counts[Math.floor(at / X.cols)]!),
  );
}

function distancesTo(centroids: Matrix, X: Matrix, metric: 'cosine' | 'euclidean'): Matrix {
  const out = matrix(X.rows, centroids.rows);
  const lengths = lengthsOf(X);
  const centroidLengths = lengthsOf(centroids);
  for (let i = 0, at = 0; i < X.rows; i++) {
    for (let c = 0; c < centroids.rows; c++, at++) {
      out.data[at] = distance(metric, row(X, i), row(centroids, c), lengths[i]!, centroidLengths[c]!);
    }
  }
  return out;
}
