import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { PermafrostError } from '../../../core/errors.ts';
import { tookTooLong } from '../what-is-wrong.ts';
import { MAX_PROCESS_BYTES } from './limits.ts';
import { READY, type ImageAnswer, type ImageTask } from './task.ts';

const ENTRY = new URL(`./decode-process${extname(import.meta.url)}`, import.meta.url);
const MOST_PROCESSES = Math.min(4, availableParallelism());
/** A process that nobody asks anything ends after so long. */
const IDLE_MS = 5_000;
/** A process that starts on a busy machine is waited for this long. */
const START_MS = 60_000;

const idle = new Map<ChildProcess, NodeJS.Timeout>();
const living = new Set<ChildProcess>();
/** Tasks that wait for one of the processes. */
const waiting: (() => void)[] = [];
let taken = 0;

// A decoder that is busy does not hear that its parent is gone.
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')));

/** The next message of a process: the program does not end before. Rejects, and ends it, where none comes in time. */
function nextMessage(
  child: ChildProcess,
  { mostMs, late, signal }: { mostMs: number; late: () => PermafrostError; signal?: AbortSignal | undefined },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (error: PermafrostError): void => {
      child.kill('SIGKILL');
      settle(() => reject(error));
    };
    const timer = setTimeout(() => fail(late()), mostMs);
    const onMessage = (message: unknown): void => settle(() => resolve(message));
    const onError = (cause: Error): void => fail(ended(cause.message));
    const onExit = (code: number | null, by: string | null): void => settle(() => reject(ended(by ?? code)));
    const onAbort = (): void => fail(interrupted());
    function settle(tell: () => void): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.off('message', onMessage).off('error', onError).off('exit', onExit);
      child.unref();
      child.channel?.unref();
      tell();
    }
    child.ref();
    child.channel?.ref();
    child.on('message', onMessage).on('error', onError).on('exit', onExit);
    signal?.addEventListener('abort', onAbort);
  });
}

const interrupted = (): PermafrostError =>
  new PermafrostError('INTERRUPTED', 'Interrupted while an image was decoded.');

/** Why there is no picture where its process ended on its own; `cause` tells it from what a process answers. */
function ended(how: number | string | null): PermafrostError {
  return new PermafrostError(
    'IMAGE_UNDECODABLE',
    how === 'SIGKILL'
      ? `Decoding it takes more than ${MAX_PROCESS_BYTES / 2 ** 30} GiB of memory and was ended. Save it in a simpler form, or take it out.`
      : `The process that decodes it ended with ${how} before it answered. Save it in another form, or take it out.`,
    { cause: how },
  );
}

async function start(): Promise<ChildProcess> {
  // What a hostile picture makes a library print does not reach the terminal.
  const child = fork(ENTRY, { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  living.add(child);
  child.once('exit', () => {
    living.delete(child);
    clearTimeout(idle.get(child));
    idle.delete(child);
  });
  child.on('error', () => undefined); // a task that waits hears of it
  const late = (): PermafrostError => ended(`no sign of life within ${START_MS / 1000} s`);
  if ((await nextMessage(child, { mostMs: START_MS, late })) !== READY) throw ended('an unknown message');
  return child;
}

/** A process that nobody uses, or a new one. */
function take(): ChildProcess | Promise<ChildProcess> {
  for (const [child, timer] of idle) {
    clearTimeout(timer);
    idle.delete(child);
    if (child.connected) return child;
  }
  return start();
}

function putBack(child: ChildProcess): void {
  if (!child.connected || child.killed) return;
  idle.set(child, setTimeout(() => child.disconnect(), IDLE_MS).unref());
}

/**
 * Makes what is asked of an image in a process of its own, which is ended after `timeoutMs` or where it takes more than
 * MAX_PROCESS_BYTES. As many at once as there are cores, at most four; the clock begins when one is free. Throws
 * IMAGE_UNDECODABLE, what decoding throws, or INTERRUPTED.
 */
export async function inProcess<K extends ImageTask['kind']>(
  task: Extract<ImageTask, { kind: K }>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Extract<ImageAnswer, { kind: K }>> {
  if (taken >= MOST_PROCESSES) await new Promise<void>((resolve) => waiting.push(resolve));
  else taken++;
  try {
    const child = await take();
    if (signal?.aborted) {
      putBack(child);
      throw interrupted();
    }
    const answered = nextMessage(child, { mostMs: timeoutMs, late: () => tookTooLong(timeoutMs), signal });
    child.send(task);
    const answer = (await answered) as ImageAnswer;
    putBack(child);
    if (answer.kind === 'failure') throw new PermafrostError(answer.code, answer.message);
    return answer as Extract<ImageAnswer, { kind: K }>;
  } finally {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next();
  }
}
