/** The default: the heads that earned their place on four data sets (docs/heads.md), 34 configurations. */
export const DEFAULT_GRID = {
  cut: [''],
  pooling: ['avg'],
  normalize: ['l2', 'sqrt'],
  pca: [0],
  views: [0],
  heads: [
    { head: 'lda' },
    { head: 'logistic', C: [1, 10, 100] },
    { head: 'linear-svm', C: [1, 10] },
    { head: 'knn', nNeighbors: [1, 5, 15], weights: ['distance'] },
    { head: 'kernel-ridge', alpha: [0.003, 0.01, 0.03, 0.1, 0.3] },
    { head: 'kernel-logistic', C: [10, 100] },
    { head: 'ensemble' },
  ],
} as const;

/** What is done to the features, in the order in which combinations are made. */
export const FEATURE_AXIS_NAMES = ['cut', 'pooling', 'normalize', 'pca', 'views'] as const;
