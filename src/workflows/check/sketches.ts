import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { squareOf } from '../../extract/image/open-image.ts';
import { sketchOf } from '../../extract/sketch.ts';
import { isOfStorage, type ImageSource } from '../../extract/source/image-source.ts';
import { withSource } from '../../extract/source/open.ts';
import { placeOf } from '../../extract/source/place.ts';
import { readSketches, writeSketches, type Sketches } from '../../store/format/sketches-file.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Store } from '../../store/open.ts';
import { currentSet } from '../../store/read/stored-parts.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Work } from '../work.ts';

/** Images in work at once: libuv has four threads. */
const LANES = 4;

export interface SketchesOfImages {
  readonly sketches: Sketches;
  /** Images without one, because their files are gone or others now. */
  readonly missing: number;
}

/** The sketch of an image from its file, if that is still the one that was extracted. */
async function sketchFromFile(source: ImageSource, store: Store, { path, sha256 }: StoredSample): Promise<Uint8Array> {
  const { contract } = currentSet(store).settings;
  const bytes = await source.read(path);
  if (sha256Hex(bytes) !== sha256)
    throw new PermafrostError(
      'IMAGE_UNREADABLE',
      `${placeOf(source.root, path)} is another file now than the one that was extracted.`,
    );
  return sketchOf(await squareOf(bytes, contract), contract.size);
}

/** Whether an error tells of one image, ours or the system's: the others can be read all the same. */
function isOfTheFile(error: unknown): boolean {
  if (error instanceof PermafrostError) return error.code.startsWith('IMAGE_');
  return error instanceof Error && 'syscall' in error;
}

/** Makes the sketches that are missing, of one file for each content, into `sketches`; says why some cannot be made. */
async function makeSketches(
  store: Store,
  samples: readonly StoredSample[],
  sketches: Map<string, Uint8Array>,
  { signal, listener }: Work,
): Promise<string | undefined> {
  const meter = progressMeter('reading images', samples.length, listener);
  let [next, problem]: [number, string | undefined] = [0, undefined];
  let isUnreachable = false;
  const lane = async (source: ImageSource): Promise<void> => {
    while (next < samples.length && !isUnreachable) {
      const sample = samples[next++]!;
      if (signal?.aborted === true)
        throw new PermafrostError('INTERRUPTED', 'The check was interrupted; nothing was changed.', {
          cause: signal.reason,
        });
      try {
        sketches.set(sample.sha256, await sketchFromFile(source, store, sample));
      } catch (error) {
        isUnreachable ||= isOfStorage(error);
        if (!isUnreachable && !isOfTheFile(error)) throw error;
        problem ??= reasonOf(error);
      }
      meter.advance(1, 1);
    }
  };
  const { root } = store.manifest.dataset;
  await withSource({ root }, (source) => Promise.all(Array.from({ length: LANES }, () => lane(source))));
  return problem;
}

/**
 * A sketch of each content of `samples`. `extract` makes them; those that the store lacks, as one of an earlier version
 * does, are made from the images' files, which are read once, and kept; what cannot be made or kept is told. 1 kB an
 * image.
 */
export async function imageSketches(
  store: Store,
  samples: readonly StoredSample[],
  work: Work,
): Promise<SketchesOfImages> {
  const { contract } = currentSet(store).settings;
  const stored = await readSketches(store.path, contract);
  const sketches = new Map<string, Uint8Array>();
  const lacking = new Map<string, StoredSample>();
  for (const sample of samples) {
    const known = stored.get(sample.sha256);
    if (known !== undefined) sketches.set(sample.sha256, known);
    else lacking.set(sample.sha256, sample);
  }
  if (lacking.size === 0) return { sketches, missing: 0 };
  const known = sketches.size;
  const problem = await makeSketches(store, [...lacking.values()], sketches, work);
  if (sketches.size > known) await keep(store, sketches, stored, work);
  const missing = samples.filter(({ sha256 }) => !sketches.has(sha256)).length;
  if (missing > 0)
    work.listener?.note?.(
      `${missing} of ${samples.length} images cannot be read any more, so whether they are copies is judged by their features alone: grey, mirrored, bordered and cropped copies are missed. The first: ${problem}`,
    );
  return { sketches, missing };
}

/** Writes the sketches that were made, and those of other images that the data set still has. */
async function keep(store: Store, sketches: Sketches, stored: Sketches, { listener }: Work): Promise<void> {
  const all = new Map(sketches);
  if (stored.size > 0)
    for (const { sha256 } of await store.samples()) {
      const known = stored.get(sha256);
      if (known !== undefined) all.set(sha256, known);
    }
  try {
    await writeSketches(store.path, currentSet(store).settings.contract, all);
  } catch (error) {
    // Nothing of the answer hangs on it.
    listener?.note?.(`The images will be read again next time: ${reasonOf(error)}`);
  }
}
