import type { Split } from '../../../core/sample.ts';
import type { Store } from '../../../store/open.ts';

/** An image by its number among those of its split, and the view of it that is meant: 0 is the image itself. */
export interface PickedImage {
  readonly image: number;
  readonly view: number;
}

/** What a tail reads of some images: activations of its cut, or prepared pixels. One reader at a time. */
export interface TailInputs {
  /** Numbers of an image. */
  readonly width: number;
  /** Inputs of different images into `out`, one after the other, float32. Throws what reading throws. */
  read(picks: readonly PickedImage[], out: Float32Array): Promise<void>;
}

/**
 * The stored activations of a cut, of a split's images in the order of the list. They are read row by row, so that any
 * order of the images is the same work and takes no memory: what was read lately the system itself keeps. Throws
 * OPTION_INVALID where the store lacks them, and what Store.rows throws.
 */
export async function storedInputs(store: Store, cut: string, split: Split, views: number): Promise<TailInputs> {
  const parts = [{ cut, pooling: 'flatten' }] as const;
  const rows = await store.rows({ parts, splits: [split], views, memory: 'blocks' });
  const rowOf = new Int32Array(rows.rows);
  rows.places.forEach((place, row) => (rowOf[place] = row));
  const sources = [rows, ...rows.views];
  return {
    width: rows.cols,
    async read(picks, out) {
      for (let from = 0; from < picks.length;) {
        const { view } = picks[from]!;
        let to = from;
        while (to < picks.length && picks[to]!.view === view) to++;
        const wanted = picks.slice(from, to).map(({ image }) => rowOf[image]!);
        await sources[view]!.pick(wanted, out.subarray(from * rows.cols, to * rows.cols));
        from = to;
      }
    },
  };
}

/** Some images with their inputs; valid until the next are asked for. */
export interface InputBatch {
  readonly picks: readonly PickedImage[];
  /** Shape (picks.length, width). */
  readonly data: Float32Array;
}

/** Groups of images with their inputs, each group read while the one before it is worked on. */
export async function* batchesOf(
  inputs: TailInputs,
  groups: readonly (readonly PickedImage[])[],
): AsyncGenerator<InputBatch> {
  const most = Math.max(0, ...groups.map(({ length }) => length));
  const buffers = [0, 1].map(() => new Float32Array(most * inputs.width));
  const read = (group: number): Promise<InputBatch> => {
    const picks = groups[group]!;
    const data = buffers[group % 2]!.subarray(0, picks.length * inputs.width);
    const reading = inputs.read(picks, data).then(() => ({ picks, data }));
    reading.catch(() => undefined); // thrown when its turn comes
    return reading;
  };
  let next = groups.length > 0 ? read(0) : undefined;
  try {
    for (let group = 0; group < groups.length; group++) {
      const batch = await next!;
      next = group + 1 < groups.length ? read(group + 1) : undefined;
      yield batch;
    }
  } finally {
    await next?.catch(() => undefined);
  }
}

/** Consecutive parts whose sizes differ by one at most: no step of a few images weighs as much as one of many. */
export const evenParts = <T>(items: readonly T[], parts: number): T[][] =>
  Array.from({ length: parts }, (_, i) =>
    items.slice(Math.round((i * items.length) / parts), Math.round(((i + 1) * items.length) / parts)),
  );

/** Consecutive parts of at most `size`. */
export const partsOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
