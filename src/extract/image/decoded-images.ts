import type { Contract } from '../../core/contract.ts';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Sample } from '../../core/sample.ts';
import { readIfReadable, type ImageSource } from '../source/image-source.ts';
import { withSource } from '../source/open.ts';
import { squareOf } from './open-image.ts';

/** An image ready for an engine. */
export interface DecodedImage {
  /** Lower-case hex SHA-256 of the file's bytes. */
  readonly sha256: string;
  /** uint8 RGB, the contract's square. */
  readonly pixels: Uint8Array;
}

export interface WantedImages {
  /** What sample paths are relative to. */
  readonly root: string;
  /** What images are read from. Default: opened from `root`. */
  readonly source?: ImageSource | undefined;
  readonly samples: Iterable<Sample>;
  readonly contract: Contract;
  readonly count: number;
  /** Images to leave out, by SHA-256. */
  readonly except?: Pick<ReadonlySet<string>, 'has'>;
  readonly signal?: AbortSignal | undefined;
}

/** The first `count` different images that can be decoded, in the order of `samples`. Throws INTERRUPTED. */
export async function decodedImages(wanted: WantedImages): Promise<DecodedImage[]> {
  return withSource(wanted, (source) => decodedFrom(source, wanted));
}

async function decodedFrom(source: ImageSource, wanted: WantedImages): Promise<DecodedImage[]> {
  const { samples, contract, count, except = new Set<string>(), signal } = wanted;
  const found = new Map<string, DecodedImage>();
  for (const { path } of samples) {
    if (found.size >= count) break;
    if (signal?.aborted) throw new PermafrostError('INTERRUPTED', 'Interrupted before anything was extracted.');
    // What cannot be read extraction counts and tells.
    const bytes = await readIfReadable(source, path, signal);
    if (bytes === undefined) continue;
    const sha256 = sha256Hex(bytes);
    if (found.has(sha256) || except.has(sha256)) continue;
    try {
      const pixels = await squareOf(bytes, contract, { signal });
      found.set(sha256, { sha256, pixels });
    } catch (error) {
      if (!(error instanceof PermafrostError && error.code === 'IMAGE_UNDECODABLE')) throw error;
    }
  }
  return [...found.values()];
}
