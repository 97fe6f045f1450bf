import type { Contract } from '../core/contract.ts';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { FileMemory } from '../core/files/file-stamp.ts';
import type { Failure, ImageFacts, Sample } from '../core/sample.ts';
import type { ImageHeader } from './image/decode.ts';
import { openImage } from './image/open-image.ts';
import { remarkOn } from './image/remarks.ts';
import type { Executable } from './engines/engine.ts';
import { readImageFile } from './image/read-image-file.ts';
import { networkQueue, type Batch, type InferredBatch } from './network-queue.ts';
import { isOfStorage, type ImageSource } from './source/image-source.ts';
import { imageSource } from './source/open.ts';
import { stageClock, type StageClock } from './stage-clock.ts';

export type { InferredBatch } from './network-queue.ts';

/** What is extracted, by which network, and what need not be. */
export interface PipelineOptions {
  /** What sample paths are relative to: a folder, or what else holds images. */
  readonly root: string;
  /** What images are read from. Default: it is opened from `root`, and closed at the end. */
  readonly source?: ImageSource;
  readonly samples: readonly Sample[];
  readonly contract: Contract;
  readonly executable: Executable;
  /** The network that a file goes through, by the SHA-256 of its bytes. Default: `executable`, all of them. */
  readonly choose?: (sha256: string, decoder: number) => Executable;
  /** Makes a network ready; awaited before its first batch, while the first images are decoded. */
  readonly prepare?: (executable: Executable) => Promise<void>;
  /** What the network sees in place of the decoded square: an augmented view. Default: the square itself. */
  readonly view?: (pixels: Uint8Array, sha256: string) => Uint8Array;
  /** Is given the decoded square of each image that goes into a network; never of views. It must not keep it. */
  readonly onPixels?: (sha256: string, pixels: Uint8Array) => void;
  /** Images an inference. */
  readonly batch: number;
  /** The unit of the listing that samples[index] lies in: no batch has images of two. Default: all lie in one. */
  readonly unitOf?: (index: number) => number;
  /** Milliseconds that one image may take to decode; default 20,000. */
  readonly imageTimeoutMs?: number;
  /**
   * True for files whose features need no extraction, by the SHA-256 of their bytes and the version of the decoder
   * since which they decode as they do.
   */
  readonly isKnown: (sha256: string, decoder: number) => boolean;
  /** Known content in an unchanged file is not read again. Default: every file is read. */
  readonly memory?: FileMemory;
  /** Ends the stream after the batches in flight, which are delivered; nothing is thrown. */
  readonly signal?: AbortSignal;
  /** Is told what the pipeline does. */
  readonly clock?: StageClock;
}

/** What the pipeline tells, in the order of the samples within each kind and, of features, within each network. */
export type PipelineEvent =
  | { readonly kind: 'features'; readonly batch: InferredBatch }
  | {
      readonly kind: 'known';
      readonly sample: Sample;
      readonly sha256: string;
      /** True where the file's size and times told, and it was not read. */
      readonly unread: boolean;
    }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** An image on its way: `facts` once its header is read, `pixels` once it is decoded. */
interface Decoding {
  readonly sample: Sample;
  readonly facts: ImageFacts;
  readonly decoder: number;
  readonly header: ImageHeader;
  readonly pixels: Promise<Uint8Array>;
}

/** The storage of the images cannot be reached: no fault of an image. */
interface Unreachable {
  readonly kind: 'unreachable';
  readonly error: PermafrostError;
}

type Read = Decoding | Unreachable | Exclude<PipelineEvent, { kind: 'features' }>;

function failureOf(sample: Sample, error: unknown): PipelineEvent & { kind: 'failure' } {
  const code = error instanceof PermafrostError ? error.code : 'IMAGE_UNREADABLE';
  return { kind: 'failure', failure: { path: sample.path, code, reason: reasonOf(error) } };
}

/** Reads a file once: digest and header; decoding starts. Never rejects: what is wrong with a file is data. */
async function read(sample: Sample, source: ImageSource, options: PipelineOptions, clock: StageClock): Promise<Read> {
  const started = performance.now();
  try {
    const { isKnown } = options;
    const { sha256, decoder, bytes } = await readImageFile(source, sample.path, options);
    const opened = performance.now();
    clock.image('read', opened - started);
    if (bytes === undefined) return { kind: 'known', sample, sha256, unread: true };
    if (isKnown(sha256, decoder)) return { kind: 'known', sample, sha256, unread: false };
    const { contract, imageTimeoutMs: timeoutMs, signal } = options;
    const { header, pixels: square } = await openImage(bytes, contract, { timeoutMs, signal });
    const pixels = options.view === undefined ? square : square.then((p) => options.view!(p, sha256));
    pixels.then(
      () => clock.image('decode', performance.now() - opened),
      () => undefined, // awaited later; a rejection must not count as unhandled until then
    );
    const { width, height, orientation } = header;
    return { sample, facts: { sha256, width, height, orientation }, decoder, header, pixels };
  } catch (error) {
    return isOfStorage(error) ? { kind: 'unreachable', error } : failureOf(sample, error);
  }
}

/**
 * Reads, decodes and infers at the same time: while one batch is in the network, the next is ready and the one after it
 * is decoded on libuv's threads. At most four batches of pixels exist, and one more for each further network. Files
 * that are known or fail take no place in a batch; identical files are inferred once. What is filled goes into the
 * network before the first sample of another unit has its turn. Where the storage of the images cannot be reached the
 * batches before are delivered, then DATASET_UNREACHABLE is thrown.
 */
export async function* extractFeatures(options: PipelineOptions): AsyncGenerator<PipelineEvent> {
  const source = options.source ?? (await imageSource(options.root));
  try {
    yield* extractFrom(source, options);
  } finally {
    if (options.source === undefined) await source.close();
  }
}

async function* extractFrom(source: ImageSource, options: PipelineOptions): AsyncGenerator<PipelineEvent> {
  const { samples, contract, batch, signal, unitOf = () => 0, clock = stageClock() } = options;
  const imageBytes = contract.size * contract.size * 3;
  const window: { readonly unit: number; readonly found: Promise<Read> }[] = [];
  const underWay = new Set<string>();
  const net = networkQueue(options.prepare, clock);
  const fillings = new Map<Executable, Batch>();
  let next = 0;
  const fill = (): void => {
    for (; window.length < batch && next < samples.length; next++)
      window.push({ unit: unitOf(next), found: read(samples[next]!, source, options, clock) });
  };
  const fresh = (executable: Executable, unit: number): Batch => ({
    executable,
    unit,
    rows: [],
    pixels: new Uint8Array(batch * imageBytes),
    remarks: new Map(),
  });
  const ended = (): boolean => signal?.aborted === true || net.hasFailed;

  /** What comes out of the network: the consumer knows these images when it asks for more. */
  async function* deliver(): AsyncGenerator<PipelineEvent> {
    const found = await net.next();
    clock.enter('write');
    yield { kind: 'features', batch: found };
    clock.enter('wait');
    for (const { sha256 } of found.rows) underWay.delete(sha256);
  }

  let unreachable: PermafrostError | undefined;
  async function* enter(filling: Batch): AsyncGenerator<PipelineEvent> {
    // A runtime may hold the event loop while it computes: what is to be decoded meanwhile must be under way before.
    fill();
    await Promise.all(window.map(({ found }) => found));
    fillings.delete(filling.executable);
    await net.enter(filling);
    if (net.isFull) yield* deliver();
  }

  for (fill(); window.length > 0 && !ended(); fill()) {
    const { unit, found } = window.shift()!;
    for (const filling of fillings.values()) if (filling.unit !== unit && !ended()) yield* enter(filling);
    const entry = await found;
    if (signal?.aborted) break; // it may have failed for that alone
    if ('kind' in entry) {
      if (entry.kind === 'unreachable') {
        unreachable = entry.error;
        break;
      }
      yield entry;
      continue;
    }
    const { sample, facts, decoder } = entry;
    if (underWay.has(facts.sha256) || options.isKnown(facts.sha256, decoder)) {
      yield { kind: 'known', sample, sha256: facts.sha256, unread: false };
      continue;
    }
    let decoded: Uint8Array;
    try {
      decoded = await entry.pixels;
    } catch (error) {
      if (signal?.aborted) break;
      yield failureOf(sample, error);
      continue;
    }
    const executable = options.choose?.(facts.sha256, decoder) ?? options.executable;
    const filling = fillings.get(executable) ?? fresh(executable, unit);
    fillings.set(executable, filling);
    filling.pixels.set(decoded, filling.rows.length * imageBytes);
    filling.rows.push({ ...sample, ...facts });
    if (options.view === undefined) options.onPixels?.(facts.sha256, decoded);
    const remark = options.view === undefined ? remarkOn(decoded, entry.header, contract) : undefined;
    if (remark !== undefined) filling.remarks.set(facts.sha256, remark);
    underWay.add(facts.sha256);
    if (filling.rows.length === batch) yield* enter(filling);
  }
  for (const filling of fillings.values()) if (!ended()) yield* enter(filling);
  while (!net.isEmpty) yield* deliver();
  if (unreachable !== undefined) throw unreachable;
}
