import { PermafrostError } from '../../core/errors.ts';
import type { Failure, FeatureBatch } from '../../core/sample.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import { extractFeatures, type InferredBatch, type PipelineOptions } from '../../extract/pipeline.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import type { Remark } from '../../extract/image/remarks.ts';
import type { StageClock } from '../../extract/stage-clock.ts';
import type { FileTimes } from '../../store/format/file-times.ts';
import type { SetsWriter } from '../../store/write/sets-writer.ts';
import type { ExtractOptions } from './options.ts';
import type { Work } from '../work.ts';
import type { Extractor } from '../network/extractor.ts';
import { progressMeter } from '../progress-meter.ts';
import { sampleContents, type SampleContents } from './sample-contents.ts';
import { unitOf, type Units } from '../../extract/dataset/units.ts';

export interface Pass {
  readonly dataset: Dataset;
  /** The units that its samples lie in: batches and shards end with them. */
  readonly units: Units;
  readonly source: ImageSource;
  readonly extractor: Extractor;
  readonly writer: SetsWriter;
  readonly times: FileTimes;
  readonly options: ExtractOptions;
  readonly clock: StageClock;
  /** Is given the pixels of each image that is extracted, not of views. */
  readonly onPixels?: PipelineOptions['onPixels'];
  /** A view that the network gets in place of the images themselves, and its name. */
  readonly view?: { readonly name: string; readonly apply: NonNullable<PipelineOptions['view']> };
}

export interface Found {
  readonly contents: SampleContents;
  readonly failed: Failure[];
  /** What is odd about images that were extracted now, by the SHA-256 of their bytes. */
  readonly remarks: ReadonlyMap<string, Remark>;
  readonly extracted: number;
  /** Images that were known by size and times, without reading. */
  readonly unread: number;
}

/** Throws TOO_MANY_FAILURES where more images failed than `most`; -1: never. */
export function requireFewFailures(failed: readonly Failure[], most: number): void {
  const last = failed.at(-1);
  if (most < 0 || last === undefined || failed.length <= most) return;
  throw new PermafrostError(
    'TOO_MANY_FAILURES',
    `${failed.length} images failed, more than --max-failures ${most}; the last: ${last.path}: ${last.reason} What was extracted is kept.`,
  );
}

/** A network's outputs as a batch of features for each set; undefined for sets deeper than it runs. */
function batchesOf(
  { executable, rows, outputs }: InferredBatch,
  { sets, networks }: Extractor,
): (FeatureBatch | undefined)[] {
  const first = networks.findIndex((network) => network === executable);
  let at = 0;
  return sets.map(({ poolings }, i) =>
    i < first ? undefined : { rows, features: new Map(poolings.map((pooling) => [pooling, outputs[at++]!])) },
  );
}

/**
 * One pass over the images: what is known is reused, the rest goes through a network no deeper than what is missing.
 * What left the network is kept even on failure; whoever goes on gives the same shards as if nothing had happened.
 * Throws TOO_MANY_FAILURES, INTERRUPTED.
 */
export async function pass(plan: Pass, work: Work): Promise<Found> {
  let found: Found;
  try {
    found = await onePass(plan, work);
  } catch (error) {
    plan.clock.enter('write');
    await plan.writer.keep();
    throw error;
  }
  plan.clock.enter('write');
  await plan.writer.seal();
  return found;
}

async function onePass(
  { dataset, units, source, extractor, writer, times, options, clock, onPixels, view }: Pass,
  { signal, listener }: Work,
): Promise<Found> {
  const contents = sampleContents(dataset.samples);
  const failed: Failure[] = [...dataset.failures];
  const remarks = new Map<string, Remark>();
  requireFewFailures(failed, options.maxFailures);
  let [extracted, unread] = [0, 0];
  const stage = view === undefined ? 'extracting' : `extracting ${view.name}`;
  const meter = progressMeter(stage, dataset.samples.length, listener);
  const events = extractFeatures({
    root: dataset.root,
    source,
    samples: dataset.samples,
    contract: extractor.contract,
    executable: extractor.executable,
    // Sets stand the deepest first: an image goes no deeper than to the first one that lacks it.
    choose: (sha256, decoder) => extractor.networks[writer.firstLacking(sha256, decoder)]!,
    prepare: (executable) => extractor.networks.find((network) => network === executable)!.load(),
    clock,
    batch: options.batch,
    unitOf: unitOf(units),
    imageTimeoutMs: options.imageTimeoutMs,
    ...(view ? { view: view.apply } : onPixels && { onPixels }),
    isKnown: (sha256, decoder) => writer.isKnown(sha256, decoder),
    memory: times,
    ...(signal && { signal }),
  });
  for await (const event of events) {
    if (event.kind === 'features') {
      await writer.append(batchesOf(event.batch, extractor), event.batch.unit);
      for (const row of event.batch.rows) contents.set(row.path, row.sha256);
      for (const [sha256, remark] of event.batch.remarks) remarks.set(sha256, remark);
      extracted += event.batch.rows.length;
      meter.advance(event.batch.rows.length, event.batch.rows.length);
    } else if (event.kind === 'known') {
      contents.set(event.sample.path, event.sha256);
      if (event.unread) unread++;
      meter.advance(1, 0);
    } else {
      failed.push(event.failure);
      meter.advance(1, 0);
      requireFewFailures(failed, options.maxFailures);
    }
  }
  if (signal?.aborted) {
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted after ${extracted} extracted images, which are kept. Run the same command again to go on.`,
    );
  }
  return { contents, remarks, failed, extracted, unread };
}
