import { PermafrostError } from '../../core/errors.ts';
import type { OptionsOf, OptionTable } from '../../core/options.ts';
import type { Rows } from '../../core/rows.ts';
import { suggest } from '../../core/suggest.ts';
import type { FittedHead, Head, HeadState } from '../head.ts';
import { CENTROID_OPTIONS, centroidHead, loadCentroid } from './centroid.ts';
import { ENSEMBLE_OPTIONS, ensembleHead, type MemberTable } from './ensemble/ensemble.ts';
import { loadEnsemble } from './ensemble/fitted-ensemble.ts';
import { loadKernel } from './kernel.ts';
import { KERNEL_LOGISTIC_OPTIONS, kernelLogisticHead } from './kernel-logistic.ts';
import { KERNEL_RIDGE_OPTIONS, kernelRidgeHead } from './kernel-ridge.ts';
import { KNN_HNSW_OPTIONS, knnHnswHead, loadKnnHnsw } from './knn-hnsw.ts';
import { KNN_OPTIONS, knnHead, loadKnn } from './knn.ts';
import { LDA_OPTIONS, ldaHead } from './lda.ts';
import { loadLinear } from './linear.ts';
import { LINEAR_SVM_OPTIONS, linearSvmHead } from './linear-svm.ts';
import { LOGISTIC_OPTIONS, logisticHead } from './logistic.ts';
import { loadMlLogistic, ML_LOGISTIC_OPTIONS, mlLogisticHead } from './ml-logistic.ts';
import { loadMlp, MLP_OPTIONS, mlpHead } from './mlp.ts';
import { isOnComponents, loadOnComponents } from './pca-head.ts';
import { RIDGE_OPTIONS, ridgeHead } from './ridge.ts';
import { SOFTMAX_OPTIONS, softmaxHead } from './softmax.ts';

interface HeadEntry {
  /** One line for help. */
  readonly describe: string;
  readonly options: OptionTable;
  readonly create: (options: Readonly<Record<string, unknown>>) => Head;
  readonly load: (state: HeadState, rows?: Rows) => FittedHead | Promise<FittedHead>;
  /** Of heads whose probabilities `train`, `run` and `sweep` do not scale (docs/heads.md). */
  readonly keepsProbabilities?: true;
}

/** What an ensemble takes of the table below. */
const MEMBERS: MemberTable = {
  make: (name, options) => headEntry(name).create(options),
  isScaled: (name) => scalesProbabilities(name),
};

/** Every head by name. Packages that a head needs are loaded when it is fitted, not here. */
export const HEADS = {
  softmax: {
    describe: 'a dense softmax layer trained with Adam, as Keras would',
    options: SOFTMAX_OPTIONS,
    create: softmaxHead,
    load: loadLinear,
  },
  logistic: {
    describe: 'logistic regression with an L2 penalty, solved to its optimum',
    options: LOGISTIC_OPTIONS,
    create: logisticHead,
    load: loadLinear,
    keepsProbabilities: true,
  },
  ridge: {
    describe: 'least squares to -1 and 1 with an L2 penalty, solved exactly',
    options: RIDGE_OPTIONS,
    create: ridgeHead,
    load: loadLinear,
  },
  'linear-svm': {
    describe: 'linear support vector machine, squared hinge, solved to its optimum',
    options: LINEAR_SVM_OPTIONS,
    create: linearSvmHead,
    load: loadLinear,
  },
  'kernel-ridge': {
    describe: 'least squares to -1 and 1 with a Gaussian kernel, solved exactly up to 10,000 images',
    options: KERNEL_RIDGE_OPTIONS,
    create: kernelRidgeHead,
    load: loadKernel,
  },
  'kernel-logistic': {
    describe: 'logistic regression with a Gaussian kernel, solved to its optimum up to 10,000 images',
    options: KERNEL_LOGISTIC_OPTIONS,
    create: kernelLogisticHead,
    load: loadKernel,
    keepsProbabilities: true,
  },
  lda: {
    describe: 'linear discriminant analysis: normal classes of one covariance, shrunk by Ledoit and Wolf',
    options: LDA_OPTIONS,
    create: ldaHead,
    load: loadLinear,
  },
  mlp: {
    describe: 'one hidden layer of ReLUs and a softmax, trained with Adam and early stopping',
    options: MLP_OPTIONS,
    create: mlpHead,
    load: loadMlp,
  },
  knn: {
    describe: 'the nearest training images vote, exact search',
    options: KNN_OPTIONS,
    create: knnHead,
    load: loadKnn,
  },
  'knn-hnsw': {
    describe: 'the nearest training images vote, approximate search (needs hnswlib-node)',
    options: KNN_HNSW_OPTIONS,
    create: knnHnswHead,
    load: loadKnnHnsw,
  },
  'ml-logistic': {
    describe: 'the package ml-logistic-regression as it is, to compare with; pooled features only',
    options: ML_LOGISTIC_OPTIONS,
    create: mlLogisticHead,
    load: loadMlLogistic,
    keepsProbabilities: true,
  },
  centroid: {
    describe: 'the class whose mean is nearest',
    options: CENTROID_OPTIONS,
    create: centroidHead,
    load: loadCentroid,
  },
  ensemble: {
    describe: 'several heads vote, weighted by what they say of images that they were not fitted on',
    options: ENSEMBLE_OPTIONS,
    /** Its members are heads of this table. Throws OPTION_INVALID. */
    create: (options) => ensembleHead(MEMBERS, options),
    /** Throws HEAD_CORRUPT, and what loading a member throws. */
    load: (state, rows) => loadEnsemble(loadHead, state, rows),
    keepsProbabilities: true,
  },
} as const satisfies Record<string, HeadEntry>;

/** A head by its name, as `train --head` takes it. */
export type HeadName = keyof typeof HEADS;
/** Options of the head `N`, those of HEADS: what is left out has its default. */
export type HeadOptions<N extends HeadName = HeadName> = Partial<OptionsOf<(typeof HEADS)[N]['options']>>;
/** The names of all heads. */
export const HEAD_NAMES = Object.keys(HEADS) as HeadName[];

/** The table's entry for `name`. Throws OPTION_INVALID, with the nearest name, for one that is not there. */
export function headEntry(name: string): HeadEntry {
  if (Object.hasOwn(HEADS, name)) return HEADS[name as HeadName];
  throw new PermafrostError(
    'OPTION_INVALID',
    `There is no head "${name}"${suggest(name, HEAD_NAMES)}. Heads: ${HEAD_NAMES.join(', ')}.`,
  );
}

/** Whether a head's probabilities are scaled by a temperature of its out-of-fold scores. Throws OPTION_INVALID. */
export const scalesProbabilities = (name: string): boolean => headEntry(name).keepsProbabilities !== true;

/** The head `name` with `options` over its defaults. Throws OPTION_INVALID for an unknown head, option or value. */
export function createHead<N extends HeadName>(name: N, options: HeadOptions<N> = {}): Head {
  return headEntry(name).create(options);
}

/**
 * The fitted head of a state; `rows`: normalised training rows of a head that left them in a store. Throws
 * OPTION_INVALID for an unknown head, HEAD_CORRUPT for an incomplete state or another head's, PACKAGE_MISSING.
 */
export async function loadHead(name: string, state: HeadState, rows?: Rows): Promise<FittedHead> {
  const entry = headEntry(name);
  if (state.json.name !== name) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored head should be "${name}" and says ${JSON.stringify(state.json.name)}. Train it again.`,
    );
  }
  return isOnComponents(state) ? loadOnComponents(state, entry.load, rows) : entry.load(state, rows);
}
