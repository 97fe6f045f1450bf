import type { EngineFacts } from './extract-result.ts';

/** A head that is served. */
export interface ServedHeadResult {
  /** What it is asked by: `/predict?head=NAME`, `/heads/NAME/predict`. */
  readonly name: string;
  /** The kind of head, such as `logistic`. */
  readonly head: string;
  /** SHA-256 of the head file, lower-case hex. */
  readonly digest: string;
  readonly classes: readonly string[];
  readonly backbone: string;
  readonly contract: string;
  readonly engine: Pick<EngineFacts, 'name' | 'device' | 'precision'>;
}

/** What `serve` says when it is ready. */
export interface ServeResult {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** The first answers where none is named. */
  readonly heads: readonly ServedHeadResult[];
}
