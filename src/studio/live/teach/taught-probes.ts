import { isOfImage } from '../../../workflows/classifier/image-squares.ts';
import { matrix } from '../../../core/matrix.ts';
import type { Contract } from '../../../core/contract.ts';
import type { TaughtFolder } from '../../../store/format/studio-files.ts';
import type { ProbeImages } from '../../../store/read/heads/probe-images.ts';
import { probesOf, squareFiles } from '../../../workflows/train/files/make-probes.ts';
import { PROBE_OPTION } from '../../../workflows/train/options.ts';
import type { FittedTaught } from './taught-head.ts';

/** Where taught images and their features are. */
export interface TaughtImages {
  /** The bytes of an image. Throws IMAGE_UNREADABLE. */
  image(sha256: string): Promise<Uint8Array>;
  /** Its features, as the head reads them. */
  features(sha256: string): Promise<Float32Array>;
}

/** Taught images, one of each class in turn, each content once. */
function inTurn(classes: readonly TaughtFolder[]): Set<string> {
  const rounds = Math.max(0, ...classes.map(({ images }) => images.length));
  const all = Array.from({ length: rounds }, (_, round) => classes.flatMap(({ images }) => images[round] ?? []));
  return new Set(all.flat().map(({ sha256 }) => sha256));
}

/**
 * Probe images of a taught head, as `train` keeps them of stored images: another engine is checked by them where the
 * store is gone. Undefined where no image can be read.
 */
export async function taughtProbes(
  classes: readonly TaughtFolder[],
  taught: TaughtImages,
  contract: Contract,
  fitted: FittedTaught,
): Promise<ProbeImages | undefined> {
  const [squares, rows]: [Uint8Array[][], Float32Array[]] = [[], []];
  for (const sha256 of inTurn(classes)) {
    if (rows.length === PROBE_OPTION.default) break;
    try {
      const files = await squareFiles(await taught.image(sha256), [contract]);
      rows.push(await taught.features(sha256));
      squares.push(files);
    } catch (error) {
      // Its file was taken away by hand: others serve as well.
      if (!isOfImage(error)) throw error;
    }
  }
  if (rows.length === 0) return undefined;
  const X = matrix(rows.length, rows[0]!.length);
  for (const [i, features] of rows.entries()) X.data.set(features, i * X.cols);
  return probesOf(squares, X, fitted);
}
