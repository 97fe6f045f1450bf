/** The default: heads fitted in milliseconds, penalties and neighbours from strong to weak. 80 configurations. */
export const DEFAULT_GRID = {
  cut: [''],
  pooling: ['avg'],
  normalize: ['l2', 'standard'],
  pca: [0, 64],
  views: [0],
  heads: [
    { head: 'centroid' },
    { head: 'ridge', alpha: [100, 10, 1, 0.1] },
    { head: 'logistic', C: [0.01, 0.1, 1, 10, 100] },
    { head: 'linear-svm', C: [0.01, 0.1, 1, 10] },
    { head: 'knn', nNeighbors: [1, 3, 5, 9, 15], weights: ['distance'] },
    { head: 'knn', nNeighbors: [5] },
  ],
} as const;

/** What is done to the features, in the order in which combinations are made. */
export const FEATURE_AXIS_NAMES = ['cut', 'pooling', 'normalize', 'pca', 'views'] as const;
