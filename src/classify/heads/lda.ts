import { PermafrostError } from '../../core/errors.ts';
import { matrix } from '../../core/matrix.ts';
import { type OptionsOf, type OptionSpec, resolveOptions } from '../../core/options.ts';
import { checkLabels } from '../checks.ts';
import type { FittedHead, Head } from '../head.ts';
import type { ClassMoments } from '../covariance/class-moments.ts';
import { positivesOf } from '../solvers/linear-problems.ts';
import type { Covariance, Shrinkage } from '../covariance/shrinkage.ts';
import { covarianceBytes, withinCovariance } from '../covariance/within-covariance.ts';
import { fittedLinear } from './linear.ts';

/** A share as it is given: in the command line a text. */
function shrinkageOf(value: unknown): Shrinkage | undefined {
  if (value === 'auto') return value;
  const share = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof share === 'number' && share >= 0 && share <= 1 ? share : undefined;
}

const SHRINKAGE_OPTION: OptionSpec<number | string> = {
  default: 'auto',
  describe:
    "how far each class' covariance is drawn to equal, independent columns, 0 to 1; auto: by Ledoit and Wolf (2004)",
  accepts: 'auto | a number >= 0 <= 1',
  kind: 'string',
  check: (value) => shrinkageOf(value) !== undefined,
};

/** Options of the head `lda`: name and meaning of scikit-learn's LinearDiscriminantAnalysis. */
export const LDA_OPTIONS = { shrinkage: SHRINKAGE_OPTION };

/**
 * Linear discriminant analysis: normal classes of one shrunk covariance, priors from the rows, as scikit-learn's
 * LinearDiscriminantAnalysis(solver='lsqr'). Its probabilities are predictProba's; logits of three classes or more
 * differ from scikit-learn's by the same number for all classes of a row, for rows are centred first. On rows in blocks
 * two passes, for many classes and columns more. Throws OPTION_INVALID; `fit` FIT_INVALID for a singular covariance.
 */
export function ldaHead(options: Partial<OptionsOf<typeof LDA_OPTIONS>> = {}): Head {
  const given = resolveOptions('The head "lda"', LDA_OPTIONS, options);
  const shrinkage = shrinkageOf(given.shrinkage)!;
  const params = { shrinkage };
  return {
    name: 'lda',
    params,
    bytesOf: covarianceBytes,
    async fit(rows, y, context) {
      const { classes, indices } = checkLabels(rows, y);
      const { moments, covariance } = await withinCovariance(rows, indices, classes.length, shrinkage, context);
      const notes =
        covariance === undefined
          ? ['no class varies, as with one image each: the class whose mean is nearest, by the variance of all rows']
          : shrinkage === 'auto'
            ? [`shrinkage by Ledoit and Wolf: ${rangeOf(covariance.shrinkages)}`]
            : [];
      const facts = { name: 'lda', params, classes, features: rows.cols, converged: true, iterations: 0, notes };
      return discriminant(facts, moments, covariance);
    },
  };
}

/** The linear head of classes with these means and priors, and one covariance. Throws FIT_INVALID where singular. */
async function discriminant(
  facts: Omit<FittedHead, 'predictProba' | 'state'>,
  { counts, means, mean }: ClassMoments,
  covariance: Covariance | undefined,
): Promise<FittedHead> {
  const [k, d] = [means.length, mean.length];
  const all = counts.reduce((sum, count) => sum + count, 0);
  const apart = Float64Array.from(
    { length: d * k },
    (_, at) => means[at % k]![Math.floor(at / k)]! - mean[Math.floor(at / k)]!,
  );
  const W = covariance === undefined ? byVariance(apart, counts, d) : await covariance.solve(apart, k);
  if (W === undefined) {
    throw new PermafrostError(
      'FIT_INVALID',
      `The covariance within classes of ${all} rows and ${d} columns is singular to rounding, shrunk by ${rangeOf(covariance!.shrinkages)}. Give the head "lda" a larger shrinkage, such as 0.1.`,
    );
  }
  // log p_c + (x - mean)·w_c - (m_c - mean)·w_c / 2, where scikit-learn does not centre.
  const intercepts = Float64Array.from(counts, (count, c) => {
    let sum = Math.log(count / all);
    for (let j = 0; j < d; j++) sum -= W[j * k + c]! * (mean[j]! + apart[j * k + c]! / 2);
    return sum;
  });
  const positives = positivesOf(k);
  const isBinary = positives.length === 1;
  const weights = matrix(d, positives.length);
  for (let j = 0, at = 0; j < d; j++)
    for (const c of positives) weights.data[at++] = W[j * k + c]! - (isBinary ? W[j * k]! : 0);
  const intercept = Float32Array.from(positives, (c) => intercepts[c]! - (isBinary ? intercepts[0]! : 0));
  const more = covariance === undefined ? {} : { shrinkages: [...covariance.shrinkages] };
  return fittedLinear(facts, weights, intercept, more);
}

/** Weights of columns that are independent and vary alike, as the class means do. */
function byVariance(apart: Float64Array, counts: Int32Array, d: number): Float64Array {
  const k = counts.length;
  const all = counts.reduce((sum, count) => sum + count, 0);
  const variance = apart.reduce((sum, value, at) => sum + (counts[at % k]! / all) * value ** 2, 0) / d;
  return apart.map((value) => (variance > 0 ? value / variance : 0));
}

function rangeOf(shrinkages: Float64Array): string {
  const [least, most] = [Math.min(...shrinkages).toFixed(3), Math.max(...shrinkages).toFixed(3)];
  return least === most ? least : `${least} to ${most}`;
}
