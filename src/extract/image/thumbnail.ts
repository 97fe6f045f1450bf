import { IMAGE_TIMEOUT_MS } from './isolated/limits.ts';
import { inProcess } from './isolated/process-pool.ts';
import { toWebp, type WebpSize } from './isolated/to-webp.ts';
import { canBeStopped } from './open-image.ts';

/** Quality of the WebP files: on photographs of 96 pixels about 1.7 kB each. */
const QUALITY = 60;
/** Of large ones, where the artefacts of 60 are seen. */
const LARGE_QUALITY = 80;

/** Within the time of extraction. */
async function webp(bytes: Uint8Array, size: WebpSize, quality: number): Promise<Uint8Array> {
  if (await canBeStopped(bytes)) return toWebp(bytes, size, quality);
  return (await inProcess({ kind: 'webp', bytes, size, quality }, IMAGE_TIMEOUT_MS)).file;
}

/** A thumbnail: upright, the middle square of `side` pixels, on white, sRGB, WebP bytes. Throws IMAGE_UNDECODABLE. */
export function thumbnail(bytes: Uint8Array, side: number): Promise<Uint8Array> {
  return webp(bytes, { width: side, height: side, fit: 'cover' }, QUALITY);
}

/** The whole picture, upright, on white, sRGB, at most `most` pixels a side, WebP bytes. Throws IMAGE_UNDECODABLE. */
export function largePicture(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  return webp(bytes, { width: most, height: most, fit: 'inside', withoutEnlargement: true }, LARGE_QUALITY);
}
