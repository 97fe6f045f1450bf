import type { ClassifierFacts } from './answer-results.ts';
import type { EngineFacts } from './extract-result.ts';

/** What runs a network that is served. */
export type ServedEngine = Pick<EngineFacts, 'name' | 'device' | 'precision'>;

/** A further network, where a head reads features of several. */
export interface ServedNetwork {
  readonly backbone: string;
  readonly contract: string;
  readonly engine: ServedEngine;
}

/** A head that is served. */
export interface ServedHead extends Pick<
  ClassifierFacts,
  'head' | 'digest' | 'classes' | 'backbone' | 'cut' | 'pooling' | 'contract' | 'unknown'
> {
  /** What it is asked by: `/predict?head=NAME`, `/heads/NAME/predict`. */
  readonly name: string;
  readonly engine: ServedEngine;
  readonly others: readonly ServedNetwork[];
}

/** What `serve` says when it is ready. */
export interface ServeResult {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The first answers where none is named. */
  readonly heads: readonly ServedHead[];
}
