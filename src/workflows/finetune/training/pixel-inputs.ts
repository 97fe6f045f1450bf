import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { rgbArithmetic, type Contract } from '../../../core/contract.ts';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { applyView } from '../../../extract/image/augment.ts';
import { squareOf } from '../../../extract/image/open-image.ts';
import { viewParameters, type ViewPlan } from '../../../extract/image/view-parameters.ts';
import type { ImageSource } from '../../../extract/source/image-source.ts';
import { withSource } from '../../../extract/source/open.ts';
import { placeOf } from '../../../extract/source/place.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import { heldTemporary } from '../../../store/format/temporary-files.ts';
import { progressMeter } from '../../progress-meter.ts';
import type { Work } from '../../work.ts';
import type { TailInputs } from './inputs.ts';

/** Decoded squares are held in memory up to so many bytes, in one array; more of them are kept in a file. */
const MOST_HELD = 2 ** 30;
/** Images that are decoded at once. */
const AT_ONCE = 8;

/** Decoded squares by number, each written once. */
interface PixelCache {
  write(at: number, pixels: Uint8Array): Promise<void>;
  read(at: number): Promise<Uint8Array>;
  dispose(): Promise<void>;
}

function heldPixels(count: number, bytes: number): PixelCache {
  const all = new Uint8Array(count * bytes);
  return {
    write: (at, pixels) => Promise.resolve(all.set(pixels, at * bytes)),
    read: (at) => Promise.resolve(all.subarray(at * bytes, (at + 1) * bytes)),
    dispose: () => Promise.resolve(),
  };
}

/** In a file, which is gone when the process ends: where the system allows it, it has no name from the beginning. */
async function filedPixels(folder: string, bytes: number): Promise<PixelCache> {
  const { path, end } = heldTemporary(join(folder, 'pixels'));
  let handle: FileHandle;
  try {
    await mkdir(folder, { recursive: true });
    handle = await open(path, 'wx+');
    if (process.platform !== 'win32') await rm(path);
  } catch (cause) {
    end();
    throw new PermafrostError('STORE_WRITE', `${path} cannot be made: ${reasonOf(cause)}.`, { cause });
  }
  return {
    async write(at, pixels) {
      await handle.write(pixels, 0, bytes, at * bytes).catch((cause: unknown) => {
        throw new PermafrostError('STORE_WRITE', `${path} cannot be written: ${reasonOf(cause)}. Make room.`, {
          cause,
        });
      });
    },
    async read(at) {
      const pixels = new Uint8Array(bytes);
      await handle.read(pixels, 0, bytes, at * bytes);
      return pixels;
    },
    async dispose() {
      await handle.close();
      await rm(path, { force: true });
      end();
    },
  };
}

/** What pixels are read from, and where decoded ones are kept. */
export interface PixelSource {
  /** Where more decoded images than memory may hold are kept for as long as they are read. */
  readonly folder: string;
  /** What the samples' paths are relative to. */
  readonly root: string;
  readonly contract: Contract;
  /** Bytes that decoded images may take in memory. */
  readonly bound: number;
  /** How views are made of them: they are drawn on the fly. */
  readonly views: { readonly plan: ViewPlan; readonly seed: number };
}

/** Inputs of several lists of images, and what frees their memory. */
export interface PixelInputs {
  readonly lists: readonly TailInputs[];
  readonly dispose: () => Promise<void>;
}

/**
 * Prepared pixels of the images of some lists, each decoded once. Throws IMAGE_UNREADABLE or IMAGE_UNDECODABLE for a
 * file that is gone, changed since it was extracted, or damaged; STORE_WRITE, INTERRUPTED.
 */
export async function pixelInputs(
  { folder, root, contract, bound, views }: PixelSource,
  lists: readonly (readonly StoredSample[])[],
  { signal, listener }: Work,
): Promise<PixelInputs> {
  const { size } = contract;
  const bytes = size * size * 3;
  const samples = lists.flat();
  const isHeld = samples.length * bytes <= Math.min(MOST_HELD, bound);
  const cache = isHeld ? heldPixels(samples.length, bytes) : await filedPixels(folder, bytes);
  try {
    const meter = progressMeter('decoding', samples.length, listener);
    let next = 0;
    const decodeSome = async (source: ImageSource): Promise<void> => {
      while (next < samples.length) {
        const at = next++;
        const sample = samples[at]!;
        if (signal?.aborted) throw new PermafrostError('INTERRUPTED', 'Interrupted while images were decoded.');
        await cache.write(at, await squareOf(await contentOf(source, sample, signal), contract, { signal }));
        meter.advance(1, 1);
      }
    };
    await withSource({ root }, (source) => Promise.all(Array.from({ length: AT_ONCE }, () => decodeSome(source))));
  } catch (error) {
    await cache.dispose();
    throw error;
  }
  const prepare = preparation(contract);
  let before = 0;
  return {
    dispose: () => cache.dispose(),
    lists: lists.map((list): TailInputs => {
      const first = before;
      before += list.length;
      return {
        width: bytes,
        async read(picks, out) {
          for (const [i, { image, view }] of picks.entries()) {
            const pixels = await cache.read(first + image);
            const drawn = viewParameters(views.plan, views.seed, list[image]!.sha256, view);
            prepare(view === 0 ? pixels : applyView(pixels, size, drawn), out.subarray(i * bytes, (i + 1) * bytes));
          }
        },
      };
    }),
  };
}

async function contentOf(
  source: ImageSource,
  { path, sha256 }: StoredSample,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const file = placeOf(source.root, path);
  const content = await source.read(path, signal).catch((cause: unknown) => {
    if (cause instanceof PermafrostError && cause.code !== 'IMAGE_UNREADABLE') throw cause;
    throw new PermafrostError('IMAGE_UNREADABLE', `${file} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  if (sha256Hex(content) === sha256) return content;
  throw new PermafrostError(
    'IMAGE_UNREADABLE',
    `${file} changed since its features were extracted. Run "permafrost extract" again, then fine-tune.`,
  );
}

/** RGB pixels to what the first convolution reads: in the contract's order, less the mean, scaled, in float32. */
function preparation(contract: Contract) {
  const { mean, scale } = rgbArithmetic(contract);
  const from = contract.channelOrder === 'RGB' ? [0, 1, 2] : [2, 1, 0];
  // Of each colour all 256 levels, rounded as the network's own arithmetic in float32 does.
  const tables = mean.map((middle, c) =>
    Float32Array.from({ length: 256 }, (_, level) =>
      Math.fround(Math.fround(level - Math.fround(middle)) * Math.fround(scale[c]!)),
    ),
  );
  return (pixels: Uint8Array, out: Float32Array): void => {
    for (let at = 0; at < pixels.length; at += 3)
      for (let c = 0; c < 3; c++) out[at + c] = tables[from[c]!]![pixels[at + from[c]!]!]!;
  };
}
