import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Contract } from '../core/contract.ts';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import type { Failure, FeatureBatch, ImageFacts, Sample } from '../core/sample.ts';
import { decode, readHeader } from './decode.ts';
import type { Executable, Output } from './engines/engine.ts';

export interface PipelineOptions {
  /** The folder that sample paths are relative to. */
  readonly root: string;
  readonly samples: readonly Sample[];
  readonly contract: Contract;
  readonly executable: Executable;
  /** The outputs that `executable` was loaded with: one cut, each pooling once. */
  readonly outputs: readonly Output[];
  /** Images an inference. */
  readonly batch: number;
  /** True for files whose features need no extraction, by the SHA-256 of their bytes. */
  readonly isKnown: (sha256: string) => boolean;
  /** Ends the stream after the batch in flight; nothing is thrown. */
  readonly signal?: AbortSignal;
}

/** What the pipeline tells, in the order of the samples within each kind. */
export type PipelineEvent =
  | { readonly kind: 'features'; readonly batch: FeatureBatch }
  | { readonly kind: 'known'; readonly sample: Sample; readonly sha256: string }
  | { readonly kind: 'failure'; readonly failure: Failure };

/** An image on its way: `facts` once its header is read, `pixels` once it is decoded. */
interface Decoding {
  readonly sample: Sample;
  readonly facts: ImageFacts;
  readonly pixels: Promise<Uint8Array>;
}

type Read = Decoding | Exclude<PipelineEvent, { kind: 'features' }>;

function failureOf(sample: Sample, error: unknown): PipelineEvent & { kind: 'failure' } {
  const code = error instanceof PermafrostError ? error.code : 'IMAGE_UNREADABLE';
  return { kind: 'failure', failure: { path: sample.path, code, reason: reasonOf(error) } };
}

/** Reads a file once: its digest and its header, and starts decoding it. Never rejects: what is wrong with a file is data. */
async function read(sample: Sample, options: PipelineOptions): Promise<Read> {
  try {
    const bytes = await readFile(join(options.root, sample.path));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (options.isKnown(sha256)) return { kind: 'known', sample, sha256 };
    const header = await readHeader(bytes);
    const pixels = decode(bytes, header, options.contract);
    pixels.catch(() => undefined); // awaited later; a rejection must not count as unhandled until then
    const { width, height, orientation } = header;
    return { sample, facts: { sha256, width, height, orientation }, pixels };
  } catch (error) {
    return failureOf(sample, error);
  }
}

/**
 * Reads, decodes and infers at the same time: while one batch is in the network, the next is decoded on libuv's threads and the one
 * after it is read. At most three batches of pixels exist at any moment, whatever the number of images. Files that are
 * known or fail take no place in a batch, so batches stay full; identical files are inferred once.
 */
export async function* extractFeatures(options: PipelineOptions): AsyncGenerator<PipelineEvent> {
  const { samples, contract, executable, outputs, batch, signal } = options;
  const imageBytes = contract.size * contract.size * 3;
  const ahead = batch * 2;
  const window: Promise<Read>[] = [];
  const inFlight = new Set<string>();
  let next = 0;
  const fill = (): void => {
    while (window.length < ahead && next < samples.length) window.push(read(samples[next++]!, options));
  };

  let pending: { rows: (Sample & ImageFacts)[]; pixels: Uint8Array } | undefined;
  const fresh = (): NonNullable<typeof pending> => ({ rows: [], pixels: new Uint8Array(batch * imageBytes) });

  async function infer(full: NonNullable<typeof pending>): Promise<PipelineEvent> {
    // A runtime may hold the event loop while it computes: what is to be decoded meanwhile must be under way before.
    fill();
    await Promise.all(window);
    const matrices = await executable.run(full.pixels, full.rows.length);
    const features = new Map(outputs.map(({ pooling }, i) => [pooling, matrices[i]!]));
    return { kind: 'features', batch: { rows: full.rows, features } };
  }

  for (fill(); window.length > 0; fill()) {
    if (signal?.aborted) return;
    const entry = await window.shift()!;
    if ('kind' in entry) {
      yield entry;
      continue;
    }
    const { sample, facts } = entry;
    if (inFlight.has(facts.sha256) || options.isKnown(facts.sha256)) {
      yield { kind: 'known', sample, sha256: facts.sha256 };
      continue;
    }
    let decoded: Uint8Array;
    try {
      decoded = await entry.pixels;
    } catch (error) {
      yield failureOf(sample, error);
      continue;
    }
    pending ??= fresh();
    pending.pixels.set(decoded, pending.rows.length * imageBytes);
    pending.rows.push({ ...sample, ...facts });
    inFlight.add(facts.sha256);
    if (pending.rows.length === batch) {
      yield await infer(pending);
      inFlight.clear();
      pending = undefined;
    }
  }
  if (pending !== undefined && !signal?.aborted) yield await infer(pending);
}
