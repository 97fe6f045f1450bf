import type { Contract } from '../../core/contract.ts';
import { decode, readHeader } from './decode.ts';
import { ownFormatOf } from './own-formats/index.ts';
import { inProcess } from './isolated/process-pool.ts';
import type { ImageAnswer } from './isolated/task.ts';
import type { ImageHeader } from './jpeg-header.ts';
import { IMAGE_TIMEOUT_MS, LARGE_PIXELS } from './limits.ts';
import { MAX_PIXELS } from './picture.ts';

/** An image whose header is read, and whose pixels are on their way. */
export interface OpenedImage {
  readonly header: ImageHeader;
  /** uint8 RGB, the contract's square. Rejects with IMAGE_UNDECODABLE. */
  readonly pixels: Promise<Uint8Array>;
}

/** How long an image may take, and what ends it before. */
export interface OpenLimits {
  /** Milliseconds of decoding; default 20,000. */
  readonly timeoutMs?: number | undefined;
  /** Most pixels that are decoded; default MAX_PIXELS. */
  readonly mostPixels?: number | undefined;
  /** Ends what can be ended, with INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
}

/** libvips looks for the tag in the first 1,000 bytes, and into compressed files. */
const mayBeSvg = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x1f && bytes[1] === 0x8b) || /<svg/i.test(Buffer.from(bytes.subarray(0, 1024)).toString('latin1'));

/** AVIF and HEIC: each of their pictures is decoded in one step. */
const isBoxes = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'ftyp';

/**
 * Whether only the end of a process ends the decoding of this file. The others (JPEG, PNG, WebP, GIF, TIFF) libvips
 * makes line by line and stops between two of them, or they are no image.
 */
const isForAProcess = (bytes: Uint8Array): boolean =>
  mayBeSvg(bytes) || isBoxes(bytes) || ownFormatOf(bytes) !== undefined;

const isLarge = ({ width, height }: ImageHeader): boolean => width * height > LARGE_PIXELS;

/**
 * Whether this process may decode the image itself: a common picture of at most LARGE_PIXELS. All else is for a process
 * that can be ended: text of an SVG is laid out without a pause for minutes, and a large picture may be one long step.
 */
export async function canBeStopped(bytes: Uint8Array): Promise<boolean> {
  return !isForAProcess(bytes) && !isLarge(await readHeader(bytes));
}

let largeDone: Promise<unknown> = Promise.resolve();

/** Runs `work` after the large pictures before it. */
function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const turn = largeDone.then(work);
  largeDone = turn.catch(() => undefined); // its own caller hears of it; the next picture goes on
  return turn;
}

/**
 * Reads the header of an image and begins to decode it into the contract's square (decode.ts), within `timeoutMs`.
 * Throws IMAGE_UNDECODABLE, also for what takes longer; INTERRUPTED after `signal`.
 */
export async function openImage(
  bytes: Uint8Array,
  contract: Contract,
  { timeoutMs = IMAGE_TIMEOUT_MS, mostPixels = MAX_PIXELS, signal }: OpenLimits = {},
): Promise<OpenedImage> {
  const elsewhere = (): Promise<ImageAnswer & { kind: 'square' }> =>
    inProcess({ kind: 'square', bytes, contract, mostPixels, timeoutMs }, timeoutMs, signal);
  if (!isForAProcess(bytes)) {
    const header = await readHeader(bytes, mostPixels);
    const pixels = isLarge(header)
      ? exclusive(elsewhere).then((answer) => answer.pixels)
      : decode(bytes, header, contract, timeoutMs);
    return { header, pixels };
  }
  const { header, pixels } = await elsewhere();
  return { header, pixels: Promise.resolve(pixels) };
}

/** The contract's square alone. Throws as openImage. */
export async function squareOf(bytes: Uint8Array, contract: Contract, limits: OpenLimits = {}): Promise<Uint8Array> {
  return (await openImage(bytes, contract, limits)).pixels;
}
