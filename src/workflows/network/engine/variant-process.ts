import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import type { FeatureSettings } from '../../../store/format/fingerprint.ts';

/** A network as a process of its own opens it, to one cut. */
export interface MeasuredNetwork {
  readonly settings: Pick<FeatureSettings, 'backbone' | 'weights' | 'contract' | 'graph'>;
  /** As `networkOf` takes it: of a graph its own file; '': the bundled weights. */
  readonly file: string;
  readonly cut: string;
}

/** What a process of its own measures. Plain data: it crosses the border of processes. */
export interface VariantJob {
  readonly engine: string;
  readonly device: string;
  readonly precision: string;
  readonly network: MeasuredNetwork;
  /** uint8 NHWC, `count` images. */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly seconds: number;
}

export type VariantAnswer =
  | {
      readonly version: string;
      /** Images a second, each repetition. */
      readonly rates: readonly number[];
      /** Processor time an image, all cores together. */
      readonly cpuMs: number;
      /** Peak resident memory of the process. */
      readonly peakMiB: number;
      /** The cut's flattened maps, (count, width). */
      readonly features: Float32Array;
    }
  | { readonly problem: string };

const ENTRY = new URL(`../measure-variant${extname(import.meta.url)}`, import.meta.url);

/** Runs a job in a fresh process. Throws ENGINE_FAILED where that process dies, INTERRUPTED on abort. */
export async function measureInProcess(job: VariantJob, signal?: AbortSignal): Promise<VariantAnswer> {
  const child = fork(ENTRY, { serialization: 'advanced', execArgv: [], ...(signal && { signal }) });
  let answer: VariantAnswer | undefined;
  child.once('message', (message) => (answer = message as VariantAnswer));
  try {
    // A message may arrive after the exit, but not after the disconnection.
    const over = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    child.send(job);
    const [[code, signalName]] = (await over) as [[number | null, string | null], unknown];
    if (answer !== undefined) return answer;
    throw new Error(`its process ended with ${code ?? signalName} before it answered`);
  } catch (cause) {
    if (signal?.aborted) {
      throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing is kept of a bench.', { cause });
    }
    const what = `${job.engine} on ${job.device} in ${job.precision}`;
    throw new PermafrostError('ENGINE_FAILED', `${what} could not be measured: ${reasonOf(cause)}.`, { cause });
  }
}
