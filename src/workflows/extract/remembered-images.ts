import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../../core/contract.ts';
import { reasonOf } from '../../core/errors.ts';
import { SKETCH_BYTES } from '../../core/sketch.ts';
import { sketchOf } from '../../extract/sketch.ts';
import { openFileTimes, type FileTimes } from '../../store/format/file-times.ts';
import { readSketches, SKETCHES_NAME, writeSketches } from '../../store/format/sketches-file.ts';
import type { Work } from '../work.ts';

/** What a store remembers of the files at `root`. A damaged file is reported and not used: every image is read. */
export async function rememberedTimes(
  store: string,
  root: string,
  fresh: boolean,
  { listener }: Work,
): Promise<FileTimes> {
  try {
    return await openFileTimes(store, root, fresh);
  } catch (error) {
    listener?.note?.(`${reasonOf(error)} Every image is read this time, and the file is made anew.`);
    return openFileTimes(store, root, true);
  }
}

/** Keeps what was learned of the files; a failure is reported, not thrown, for the features are in place. */
export async function keepTimes(times: FileTimes, { listener }: Work): Promise<void> {
  try {
    await times.write();
  } catch (error) {
    listener?.note?.(`Next time every image is read again: ${reasonOf(error)}`);
  }
}

/** Sketches of so many images are kept while they are extracted: 60 MB. `check` makes those of the others. */
const MOST = 50_000;

/** The sketches of images whose pixels are there anyway, while they are extracted. */
export interface KeptSketches {
  /** The square of pixels of an image, by the SHA-256 of its file. */
  readonly add: (sha256: string, pixels: Uint8Array) => void;
  /** A sketch that was made elsewhere. */
  readonly take: (sha256: string, sketch: Uint8Array) => void;
  /** Adds what was made to those that the store has. Never rejects: what was not kept `check` makes again. */
  readonly keep: (work: Work) => Promise<void>;
}

/** Of images under `contract`, for a store; none where it holds more than are kept at once. */
export async function keptSketches(store: string, contract: Contract): Promise<KeptSketches> {
  const stored = await stat(join(store, SKETCHES_NAME)).then(
    ({ size }) => Math.ceil(size / SKETCH_BYTES),
    () => 0,
  );
  const made = new Map<string, Uint8Array>();
  const isFull = (): boolean => stored + made.size >= MOST;
  return {
    add(sha256, pixels) {
      if (!isFull()) made.set(sha256, sketchOf(pixels, contract.size));
    },
    take(sha256, sketch) {
      if (!isFull()) made.set(sha256, sketch);
    },
    async keep({ listener }) {
      if (made.size === 0) return;
      try {
        await writeSketches(store, contract, new Map([...(await readSketches(store, contract)), ...made]));
      } catch (error) {
        listener?.note?.(`Images will be read again by "permafrost check": ${reasonOf(error)}`);
      }
    },
  };
}
