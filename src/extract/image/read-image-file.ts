import { sha256Hex } from '../../core/digest.ts';
import type { FileMemory } from '../../core/files/file-stamp.ts';
import type { ImageSource } from '../source/image-source.ts';
import { decoderOf } from './formats/decoder.ts';

/** A file's content, or what is remembered of it where it did not have to be read. */
export interface ImageFile {
  readonly sha256: string;
  /** The version of the decoder since which it decodes as it does (formats/decoder.ts). */
  readonly decoder: number;
  readonly bytes: Buffer | undefined;
}

/** How a file is read. */
export interface ReadImageOptions {
  /** What is remembered of files that were read before. Default: nothing. */
  readonly memory?: FileMemory | undefined;
  /** Whether nothing is needed of such a content. */
  readonly isKnown: (sha256: string, decoder: number) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads the image at `path`, unless `memory` recalls its stamp and `isKnown` needs nothing of that content. Throws what
 * the source throws.
 */
export async function readImageFile(
  source: ImageSource,
  path: string,
  { memory, isKnown, signal }: ReadImageOptions,
): Promise<ImageFile> {
  if (memory === undefined) return imageFile(await source.read(path, signal));
  const atMs = Date.now();
  const stamp = await source.stamp(path);
  const recalled = memory.recall(path, stamp);
  if (recalled !== undefined) {
    const decoder = memory.decoderOf(path);
    if (isKnown(recalled, decoder)) return { sha256: recalled, decoder, bytes: undefined };
  }
  const file = imageFile(await source.read(path, signal));
  memory.note(path, stamp, file.sha256, atMs, file.decoder);
  return file;
}

const imageFile = (bytes: Buffer): ImageFile => ({ sha256: sha256Hex(bytes), decoder: decoderOf(bytes), bytes });
