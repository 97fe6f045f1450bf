import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { lanes } from '../../core/mutex.ts';
import { contractId, type Contract } from '../../extract/contract.ts';
import { decodePixels } from '../../extract/image/decode.ts';
import { squareOf } from '../../extract/image/open-image.ts';
import { isOfStorage, type ImageSource } from '../../extract/source/image-source.ts';
import { imageSource } from '../../extract/source/open.ts';

/** Pixels of a picture, line by line, of any size: RGB, or RGBA, whose alpha counts as it does in a PNG. */
export interface RgbPixels {
  /** 0 to 255, `channels` values a pixel. They must not change before the answer is there. */
  readonly data: Uint8Array | Uint8ClampedArray;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** An image: its path or its address in S3, the bytes of an image file, or pixels. */
export type ImageInput = string | Uint8Array | RgbPixels;

/** The squares of an image, uint8 RGB: one for each contract. */
export type Squares = readonly Uint8Array[];

/** Turns images into what networks see. */
export interface ImageSquares {
  /**
   * Reads and decodes an image. Throws IMAGE_UNREADABLE, IMAGE_UNDECODABLE; INTERRUPTED; where the storage that it lies
   * in cannot be reached DATASET_UNREACHABLE.
   */
  squares(image: ImageInput, signal?: AbortSignal): Promise<Squares>;
  close(): Promise<void>;
}

/** Images that are read and decoded at once: each may take 100 MB meanwhile. */
const AT_ONCE = 8;

/** Whether an error is of the image alone, so that others can be answered. */
export const isOfImage = (error: unknown): error is PermafrostError =>
  error instanceof PermafrostError && error.code.startsWith('IMAGE_');

async function bytesOf(source: ImageSource, path: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await source.read(path, signal);
  } catch (cause) {
    if (cause instanceof PermafrostError || isOfStorage(cause)) throw cause;
    throw new PermafrostError('IMAGE_UNREADABLE', reasonOf(cause), { cause });
  }
}

/**
 * Squares under these contracts, in their order. Equal ones are decoded once. Files of more than `mostPixels` pixels
 * are refused by their header.
 */
export async function imageSquares(contracts: readonly Contract[], mostPixels: number): Promise<ImageSquares> {
  const source = await imageSource('');
  const inLane = lanes(AT_ONCE);
  const ids = contracts.map(contractId);
  const different = contracts.filter((_, i) => ids.indexOf(ids[i]!) === i);

  async function decoded(image: ImageInput, signal?: AbortSignal): Promise<Squares> {
    if (signal?.aborted === true) throw new PermafrostError('INTERRUPTED', 'Interrupted before the image was read.');
    if (typeof image === 'object' && !(image instanceof Uint8Array)) {
      const { data, width, height, channels } = image;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return Promise.all(different.map((contract) => decodePixels({ data: bytes, width, height, channels }, contract)));
    }
    const bytes = typeof image === 'string' ? await bytesOf(source, image, signal) : image;
    return Promise.all(different.map((contract) => squareOf(bytes, contract, { mostPixels, signal })));
  }
  return {
    async squares(image, signal) {
      const found = await inLane(() => decoded(image, signal));
      return ids.map((id) => found[different.findIndex((contract) => contractId(contract) === id)]!);
    },
    close: () => source.close(),
  };
}
