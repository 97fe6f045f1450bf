import { PermafrostError } from '../../../core/errors.ts';
import type { ImageHeader } from '../jpeg-header.ts';

/** A decoded picture: interleaved uint8, RGB or RGBA. */
export interface OwnPixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
}

/** A format that sharp does not read and that is decoded here. */
export interface OwnFormat {
  /** As people call it. */
  readonly name: string;
  /** Under which a file of it is listed, with its dot. */
  readonly extension: string;
  /** Whether bytes are of this format, by their beginning alone. */
  isOne(bytes: Uint8Array): boolean;
  /** Throws IMAGE_UNDECODABLE. */
  header(bytes: Uint8Array): ImageHeader | Promise<ImageHeader>;
  /**
   * The whole picture, of the size that the header tells; `asPillow`: as Pillow's convert("RGB") gives it also where a
   * viewer shows other colours. Throws IMAGE_UNDECODABLE.
   */
  pixels(bytes: Uint8Array, asPillow: boolean): OwnPixels | Promise<OwnPixels>;
}

/** Throws IMAGE_UNDECODABLE with a reason. */
export function undecodable(reason: string): never {
  throw new PermafrostError('IMAGE_UNDECODABLE', reason);
}
