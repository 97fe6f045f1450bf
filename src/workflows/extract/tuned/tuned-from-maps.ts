import { PermafrostError } from '../../../core/errors.ts';
import { selectRows } from '../../../core/matrix.ts';
import type { FeatureBatch } from '../../../core/sample.ts';
import { decoderOf, newestFirst, type FeatureSet, type StoreDraft } from '../../../store/format/manifest.ts';
import { setFeatures } from '../../../store/read/shards.ts';
import { setsWriter, type SetsWriterOptions, type WantedDraft } from '../../../store/write/sets-writer.ts';
import type { Tail } from '../../network/tail.ts';
import { progressMeter } from '../../progress-meter.ts';
import type { Work } from '../../work.ts';

/** Images of which features are made and written at a time. */
const IMAGES = 64;

/** Stored activations, and where the features go that a tail makes of them. */
export interface FromMaps {
  readonly store: StoreDraft;
  /** The set of the activations. */
  readonly maps: FeatureSet;
  readonly into: WantedDraft;
  readonly tail: Tail;
  /** The contents of the data set, by SHA-256. */
  readonly needed: ReadonlySet<string>;
  readonly options: Pick<SetsWriterOptions, 'shardBytes'>;
}

/**
 * Gives a set the features that it lacks of images whose activations are stored, by the tail alone: no image is read.
 * Says how many. What was written is kept where it is interrupted. Throws STORE_CORRUPT, STORE_WRITE, INTERRUPTED.
 */
export async function tunedFromMaps(job: FromMaps, work: Work): Promise<number> {
  const meter = progressMeter('running the tuned layers', job.needed.size, work.listener);
  const advance = (images: number): void => meter.advance(images, images);
  let made = 0;
  // A row counts for files that decode as they did when its activations were made.
  for (const decoder of new Set(newestFirst(job.maps).map(decoderOf))) {
    const shards = job.maps.shards.filter((shard) => decoderOf(shard) === decoder);
    made += await fromShards({ ...job, maps: { ...job.maps, shards } }, decoder, advance, work);
  }
  return made;
}

async function fromShards(
  { store, maps, into, tail, needed, options }: FromMaps,
  decoder: number,
  advance: (images: number) => void,
  { signal }: Work,
): Promise<number> {
  const expectedRows = needed.size;
  const writer = await setsWriter({ ...options, store, wanted: [into], expectedRows, decoder, goesOn: true });
  let made = 0;
  try {
    for await (const { rows, X } of setFeatures(store.path, maps, 'flatten')) {
      const wanted = rows.flatMap(({ sha256 }, i) => (needed.has(sha256) && !writer.isKnown(sha256) ? [i] : []));
      for (let from = 0; from < wanted.length; from += IMAGES) {
        if (signal?.aborted)
          throw new PermafrostError(
            'INTERRUPTED',
            `Interrupted after ${made} images, whose features are kept. Run the same command again to go on.`,
            { cause: signal.reason },
          );
        const some = wanted.slice(from, from + IMAGES);
        const outputs = await tail.run(selectRows(X, some));
        const features = new Map(into.poolings.map((pooling, p) => [pooling, outputs[p]!]));
        const batch: FeatureBatch = { rows: some.map((i) => rows[i]!), features };
        await writer.append([batch]);
        made += some.length;
        advance(some.length);
      }
    }
  } catch (error) {
    await writer.keep();
    throw error;
  }
  await writer.seal();
  return made;
}
