import type { Contract } from '../../core/contract.ts';
import { decode, readHeader } from './decode.ts';
import { inProcess } from './isolated/process-pool.ts';
import type { ImageAnswer } from './isolated/task.ts';
import type { ImageHeader } from './jpeg-header.ts';
import { IMAGE_TIMEOUT_MS, LARGE_PIXELS, MAX_PIXELS } from './limits.ts';

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

const startsWith = (bytes: Uint8Array, at: number, text: string): boolean =>
  Array.from(text).every((letter, i) => bytes[at + i] === letter.charCodeAt(0));

/** JPEG, PNG, WebP, GIF, TIFF: libvips makes them line by line, and stops between two lines when it is told. */
function isMadeByLines(bytes: Uint8Array): boolean {
  return (
    startsWith(bytes, 0, '\xff\xd8\xff') ||
    startsWith(bytes, 0, '\x89PNG') ||
    startsWith(bytes, 0, 'GIF8') ||
    (startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WEBP')) ||
    ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((mark) => startsWith(bytes, 0, mark)) ||
    startsWith(bytes, 4, 'ftypavi')
  );
}

const isLarge = ({ width, height }: ImageHeader): boolean => width * height > LARGE_PIXELS;

/**
 * Whether this process may decode the image itself: a common picture of at most LARGE_PIXELS. All else is for a process
 * that can be ended: text of an SVG is laid out without a pause for minutes, and a large picture may be one long step.
 */
export async function canBeStopped(bytes: Uint8Array): Promise<boolean> {
  return isMadeByLines(bytes) && !isLarge(await readHeader(bytes));
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
  if (bytes.length === 0 || isMadeByLines(bytes)) {
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
