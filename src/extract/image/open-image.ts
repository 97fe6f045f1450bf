import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import { decode, readHeader } from './decode.ts';
import { tiffCost } from './formats/tiff.ts';
import { isForAProcess } from './isolated/for-a-process.ts';
import { inProcess } from './isolated/process-pool.ts';
import type { ImageAnswer } from './isolated/task.ts';
import type { ImageHeader } from './jpeg-header.ts';
import { IMAGE_TIMEOUT_MS, LARGE_PIXELS, TALL_LINES } from './isolated/limits.ts';
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

const isLarge = ({ width, height }: ImageHeader): boolean => width * height > LARGE_PIXELS;
const isTall = ({ height }: ImageHeader): boolean => height > TALL_LINES;

/**
 * Whether this process may decode the image itself: a common picture of at most LARGE_PIXELS and TALL_LINES. All else
 * is for a process that can be ended: text of an SVG is laid out without a pause for minutes, a large picture may be
 * one long step, and there are only four threads here for files and pictures.
 */
export async function canBeStopped(bytes: Uint8Array): Promise<boolean> {
  if (isForAProcess(bytes)) return false;
  const header = await readHeader(bytes);
  return !isLarge(header) && !isTall(header);
}

let largeDone: Promise<unknown> = Promise.resolve();

/** Runs `work` after the large pictures before it. */
function exclusive<T>(work: () => Promise<T>): Promise<T> {
  const turn = largeDone.then(work);
  largeDone = turn.catch(() => undefined); // its own caller hears of it; the next picture goes on
  return turn;
}

/**
 * What a process that decodes this image alone says of it, after libvips said `first` in this one: all pictures that
 * are decoded at once share libvips' one list of errors, so that a reason may be lost, or be that of another image.
 */
async function toldAlone<T>(first: unknown, alone: () => Promise<T>): Promise<T> {
  const isOfLibrary = first instanceof PermafrostError && first.cause !== undefined;
  if (!isOfLibrary) throw first;
  try {
    return await alone();
  } catch (second) {
    // Of a process that gave no answer nobody learns more.
    throw second instanceof PermafrostError && second.cause === undefined ? second : first;
  }
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
    try {
      const header = await readHeader(bytes, mostPixels);
      const pixels = isLarge(header)
        ? exclusive(elsewhere).then((answer) => answer.pixels)
        : isTall(header)
          ? elsewhere().then((answer) => answer.pixels)
          : decode(bytes, header, contract, timeoutMs).catch((first: unknown) =>
              toldAlone(first, elsewhere).then((answer) => answer.pixels),
            );
      return { header, pixels };
    } catch (first) {
      const { header, pixels } = await toldAlone(first, elsewhere);
      return { header, pixels: Promise.resolve(pixels) };
    }
  }
  const isLargeTiff = (tiffCost(bytes)?.pixels ?? 0) > LARGE_PIXELS;
  const { header, pixels } = await (isLargeTiff ? exclusive(elsewhere) : elsewhere());
  return { header, pixels: Promise.resolve(pixels) };
}

/** The contract's square alone. Throws as openImage. */
export async function squareOf(bytes: Uint8Array, contract: Contract, limits: OpenLimits = {}): Promise<Uint8Array> {
  return (await openImage(bytes, contract, limits)).pixels;
}
