import type { Matrix } from '../../../core/matrix.ts';
import type { EngineAgreement } from '../../../results/answer-results.ts';
import type { OrReason } from '../../../results/or-reason.ts';
import type { ExtractedImages } from '../extract-images.ts';

/** Features by the engine that is here, parts side by side as in the features that are compared. */
export interface FeatureMaker {
  ofFiles(files: readonly string[]): Promise<ExtractedImages>;
  /** Of decoded squares, uint8 RGB: a list for each network, image by image. */
  ofSquares(squares: readonly (readonly Uint8Array[])[]): Promise<Matrix>;
}

/** The same images by the features' own engine class and by the one that is here. */
export interface Pairs extends Pick<EngineAgreement, 'by'> {
  /** Features by the own class, shape (n, d); undefined where only answers are known. */
  readonly own: Matrix | undefined;
  /** By the other class, shape (n, d). */
  readonly other: Matrix;
  /** What the head answers to the own class, shape (n, classes); undefined: it is asked, or there is none. */
  readonly answers?: Matrix | undefined;
}

/** By which images, and by which head, an engine of another class is judged. */
export interface Judge {
  /** What names the features that are compared, and all that they are compared by. */
  subject(): Promise<string>;
  /** Or why there are no images. */
  pairs(maker: FeatureMaker): Promise<OrReason<Pairs>>;
  /** Probabilities of a head for raw features, shape (n, classes); absent where features alone are compared. */
  readonly answersOf?: (X: Matrix) => Promise<Matrix>;
}
