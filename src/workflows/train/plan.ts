import type { Head } from '../../classify/head.ts';
import { headEntry, type HeadOptions } from '../../classify/heads/index.ts';
import { pcaHead } from '../../classify/heads/pca-head.ts';
import type { Normalization } from '../../classify/normalize.ts';

/** What to fit. */
export interface TrainingPlan {
  readonly head: string;
  readonly options?: HeadOptions;
  readonly normalize: Normalization;
  /** Principal components of the normalised features to fit on; 0, the default: the features themselves. */
  readonly pca?: number;
}

/** The head of a plan, not fitted: behind its principal components, where it has some. Throws OPTION_INVALID. */
export function headOf({ head, options, pca }: TrainingPlan): Head {
  const plain = headEntry(head).create(options ?? {});
  return pca ? pcaHead(pca, plain) : plain;
}
