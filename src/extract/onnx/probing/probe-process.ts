import { stat } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { extname } from 'node:path';
import { PermafrostError, type ErrorCode } from '../../../core/errors.ts';
import type { GraphCut } from '../../backbones/backbone.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import { NO_BYTES } from '../../isolated/parcels.ts';
import { processPool, type TaskLimits } from '../../isolated/process-pool.ts';
import { whyEnded } from '../../isolated/why-ended.ts';
import type { Probed, ProbeRequest } from './measure-cuts.ts';

/** What the process is to measure. Plain data: it crosses the border of processes. */
export interface ProbeJob {
  readonly path: string;
  /** Of the file that was read here: the process reads it again. */
  readonly digest: string;
  readonly request: ProbeRequest;
}

/** What a probe found, as JSON can hold it. */
export type PlainProbed = Omit<Probed, 'cuts'> & { readonly cuts: readonly (readonly [string, GraphCut])[] };

export type ProbeAnswer = PlainProbed | { readonly code: ErrorCode; readonly message: string };

/**
 * Milliseconds to begin with: a process on a busy machine, and five images through a network that takes 10 s for one.
 */
const BASE_MS = 120_000;
/** The slowest disk that is waited for: 10 MB/s. */
const BYTES_PER_MS = 10_000;
/** The part of the machine's memory that a probe may use. */
const MEMORY_PART = 0.6;

/**
 * When the process is stopped. Default of `mostMs`: 2 minutes, and a second for every 10 MB of the file; of `mostBytes`
 * in memory: 0.6 of what this machine or container has.
 */
export type ProbeLimits = Partial<Pick<TaskLimits, 'mostMs' | 'mostBytes'>>;

const mostMemory = (): number => MEMORY_PART * Math.min(totalmem(), process.constrainedMemory() || Infinity);

function invalid({ path, request }: ProbeJob, found: string): PermafrostError {
  const { size } = request.contract;
  return new PermafrostError(
    'BACKBONE_INVALID',
    `${path} is not an ONNX model that can be run: ONNX Runtime ${found}, on two images of ${size} x ${size} pixels, in a process of its own. ` +
      `Restore it from where it came from, or export it again.`,
  );
}

const measure = processPool<ProbeJob, ProbeAnswer>({
  entry: new URL(`./run-probe${extname(import.meta.url)}`, import.meta.url),
  oneTask: true,
  ended: (how, job, limits) => invalid(job, whyEnded(how, limits)),
  late: (job, { mostMs }) => invalid(job, `had not ended after ${(mostMs / 1000).toFixed(0)} s and was stopped`),
});

/**
 * measureCuts in a process of its own: some changed bytes make ONNX Runtime end its process, compute without end, or
 * take all memory. Throws as measureCuts, and BACKBONE_INVALID where the process ended before it answered.
 */
export async function measureInProcess(
  { path, digest }: OnnxFile,
  request: ProbeRequest,
  limits: ProbeLimits,
): Promise<PlainProbed> {
  const { size } = await stat(path);
  const { mostMs = BASE_MS + size / BYTES_PER_MS, mostBytes = mostMemory() } = limits;
  const { content: answer } = await measure({ path, digest, request }, NO_BYTES, { mostMs, mostBytes });
  if ('code' in answer) throw new PermafrostError(answer.code, answer.message);
  return answer;
}
