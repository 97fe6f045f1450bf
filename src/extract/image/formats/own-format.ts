import { PermafrostError } from '../../../core/errors.ts';
import type { Source } from '../geometry.ts';
import type { ImageHeader } from '../jpeg-header.ts';

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
  /** The whole picture, of the size that the header tells. Throws IMAGE_UNDECODABLE. */
  pixels(bytes: Uint8Array): Source | Promise<Source>;
}

/** Throws IMAGE_UNDECODABLE with a reason. */
export function undecodable(reason: string): never {
  throw new PermafrostError('IMAGE_UNDECODABLE', reason);
}
