import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { extname } from 'node:path';
import { PermafrostError, reasonOf, type ErrorCode } from '../../../core/errors.ts';
import type { GraphCut } from '../../backbones/backbone.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import type { Probed, ProbeRequest } from './measure-cuts.ts';

/** What the process is to measure. Plain data: it crosses the border of processes. */
export interface ProbeJob {
  readonly path: string;
  /** Of the file that was read here: the process reads it again. */
  readonly digest: string;
  readonly request: ProbeRequest;
  readonly mostMs: number;
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
/** Milliseconds between two looks at the memory of the process. */
const LOOK_MS = 50;
/** The part of the machine's memory that a probe may use. */
const MEMORY_PART = 0.6;

const ENTRY = new URL(`./run-probe${extname(import.meta.url)}`, import.meta.url);

/** When the process is stopped. */
export interface ProbeLimits {
  /** Milliseconds; default 2 minutes, and a second for every 10 MB of the file. */
  readonly mostMs?: number;
  /** Bytes in memory, on Linux; default 0.6 of what this machine or container has. */
  readonly mostBytes?: number;
}

/** Why the process was ended, as a sentence's end. */
type Stop = (why: string) => void;

const mostMemory = (): number => MEMORY_PART * Math.min(totalmem(), process.constrainedMemory() || Infinity);

/** Bytes in memory of a process; undefined where the system does not say, or it is gone. */
async function residentBytes(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split(' ')[1]) * 4096;
}

/** On Linux: ends the process when it takes too much memory, and lets the system end it before any other. */
function watchMemory(pid: number, most: number, stop: Stop): () => void {
  if (process.platform !== 'linux') return () => undefined;
  // Where that may not be written the watch alone must do.
  void writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => undefined);
  const timer = setInterval(() => {
    void residentBytes(pid).then((bytes) => {
      if ((bytes ?? 0) > most) stop(`took ${Math.round(bytes! / 2 ** 20)} MiB of memory and was stopped`);
    });
  }, LOOK_MS);
  return () => clearInterval(timer);
}

/** The answer of a process of its own. */
async function answerOf(job: ProbeJob, mostBytes: number): Promise<ProbeAnswer> {
  const { mostMs, request } = job;
  const { size } = request.contract;
  const invalid = (found: string, cause?: unknown): PermafrostError =>
    new PermafrostError(
      'BACKBONE_INVALID',
      `${job.path} is not an ONNX model that can be run: ONNX Runtime ${found}, on two images of ${size} x ${size} pixels, in a process of its own. ` +
        `Restore it from where it came from, or export it again.`,
      { cause },
    );
  // What the runtime prints of a network that it refuses stands in the error.
  const child = fork(ENTRY, { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  let answer: ProbeAnswer | undefined;
  let stopped: string | undefined;
  const stop: Stop = (why) => {
    stopped ??= why;
    child.kill('SIGKILL');
  };
  child.once('message', (message) => (answer = message as ProbeAnswer));
  const timer = setTimeout(() => stop(`had not ended after ${(mostMs / 1000).toFixed(0)} s and was stopped`), mostMs);
  const unwatch = child.pid === undefined ? () => undefined : watchMemory(child.pid, mostBytes, stop);
  try {
    // A message may arrive after the exit, but not after the disconnection.
    const over = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    child.send(job);
    const [[code, signal]] = (await over) as [[number | null, string | null], unknown];
    if (answer !== undefined) return answer;
    throw invalid(stopped ?? `ended with ${signal ?? `exit code ${code}`} before it answered`);
  } catch (cause) {
    throw cause instanceof PermafrostError ? cause : invalid(`did not start (${reasonOf(cause)})`, cause);
  } finally {
    clearTimeout(timer);
    unwatch();
  }
}

/**
 * measureCuts in a process of its own: some changed bytes make ONNX Runtime end its process, compute without end, or
 * take all memory. Throws as measureCuts, and BACKBONE_INVALID where the process ended before it answered.
 */
export async function measureInProcess(
  file: OnnxFile,
  request: ProbeRequest,
  limits: ProbeLimits,
): Promise<PlainProbed> {
  const { path, digest } = file;
  const { size } = await stat(path);
  const { mostMs = BASE_MS + size / BYTES_PER_MS, mostBytes = mostMemory() } = limits;
  const answer = await answerOf({ path, digest, request, mostMs }, mostBytes);
  if ('code' in answer) throw new PermafrostError(answer.code, answer.message);
  return answer;
}
