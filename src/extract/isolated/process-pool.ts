import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { PermafrostError } from '../../core/errors.ts';
import { parcelsFrom, sendParcel, type Parcel } from './parcels.ts';

/** What a process says when it can be asked. */
export const READY = 'ready';

/** What a process is sent: a task, and the bytes of memory at which its watchdog ends it. */
export interface Order<Task> {
  readonly task: Task;
  readonly mostBytes: number;
}

/** How long one task may take, and how much memory. */
export interface TaskLimits {
  readonly mostMs: number;
  readonly mostBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface PoolOptions<Task> {
  /** The module that a process runs; it calls `serveTasks`. */
  readonly entry: URL;
  /** The error of a task whose process ended by itself, with an exit code, a signal or what the system says. */
  readonly ended: (how: number | string | null, task: Task, limits: TaskLimits) => PermafrostError;
  /** The error of a task that took longer than it may. */
  readonly late: (task: Task, limits: TaskLimits) => PermafrostError;
  /** The error of a task that was stopped by its signal. */
  readonly interrupted?: () => PermafrostError;
  /** Whether each task has a process of its own, which has ended when the task settles. Default: it is used again. */
  readonly oneTask?: boolean;
}

const MOST_PROCESSES = Math.min(4, availableParallelism());
/** A process that nobody asks anything ends after so long. */
const IDLE_MS = 5_000;
/** A process that starts on a busy machine is waited for this long. */
const START_MS = 60_000;

const living = new Set<ChildProcess>();
// What is busy does not hear that its parent is gone.
process.on('exit', () => living.forEach((child) => child.kill('SIGKILL')));

/** How long a message is waited for, and the errors of those that do not come. */
interface Waiting {
  readonly mostMs: number;
  readonly late: () => PermafrostError;
  readonly ended: (how: number | string | null) => PermafrostError;
  readonly interrupted: () => PermafrostError;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `take` makes of the next messages of a process: the program does not end before. Rejects, and ends it, where
 * that does not come in time.
 */
function nextOf<T>(
  child: ChildProcess,
  take: (message: unknown) => T | undefined,
  { mostMs, late, ended, interrupted, signal }: Waiting,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: PermafrostError): void => {
      child.kill('SIGKILL');
      settle(() => reject(error));
    };
    const timer = setTimeout(() => fail(late()), mostMs);
    const onMessage = (message: unknown): void => {
      const taken = take(message);
      if (taken !== undefined) settle(() => resolve(taken));
    };
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

/** Ends a process, and waits until it has: what it held is free then. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const over = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await over;
}

const wasInterrupted = (): PermafrostError => new PermafrostError('INTERRUPTED', 'Interrupted.');

/**
 * Processes that each do one task after the other, or one alone, and are ended where one takes too long or too much
 * memory: for what cannot be stopped otherwise. As many at once as there are cores, at most four; the clock of a task
 * begins when one is free. Tasks and answers have bytes beside them; what is printed is dropped. Rejects with what
 * `ended`, `late` and `interrupted` make.
 */
export function processPool<Task, Answer>(options: PoolOptions<Task>) {
  const { entry, ended, late, interrupted = wasInterrupted, oneTask = false } = options;
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  /** Tasks that wait for one of the processes. */
  const waiting: (() => void)[] = [];
  let taken = 0;

  async function start(endedSo: Waiting['ended']): Promise<ChildProcess> {
    // What a hostile file makes a library print does not reach the terminal.
    const child = fork(entry, {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    living.add(child);
    child.once('exit', () => {
      living.delete(child);
      clearTimeout(idle.get(child));
      idle.delete(child);
    });
    child.on('error', () => undefined); // a task that waits hears of it
    const lateSo = (): PermafrostError => endedSo(`no sign of life within ${START_MS / 1000} s`);
    await nextOf(child, (message) => message === READY || undefined, {
      mostMs: START_MS,
      late: lateSo,
      ended: endedSo,
      interrupted,
    });
    return child;
  }

  /** A process that nobody uses, or a new one. */
  function free(endedSo: Waiting['ended']): ChildProcess | Promise<ChildProcess> {
    for (const [child, timer] of idle) {
      clearTimeout(timer);
      idle.delete(child);
      if (child.connected) return child;
    }
    return start(endedSo);
  }

  function putBack(child: ChildProcess): void {
    if (oneTask || !child.connected || child.killed) return;
    idle.set(child, setTimeout(() => child.disconnect(), IDLE_MS).unref());
  }

  return async function inProcess(task: Task, given: Uint8Array, limits: TaskLimits): Promise<Parcel<Answer>> {
    const { mostMs, mostBytes, signal } = limits;
    const endedSo = (how: number | string | null): PermafrostError => ended(how, task, limits);
    if (taken >= MOST_PROCESSES) await new Promise<void>((resolve) => waiting.push(resolve));
    else taken++;
    let child: ChildProcess | undefined;
    try {
      child = await free(endedSo);
      if (signal?.aborted) {
        putBack(child);
        throw interrupted();
      }
      const lateSo = (): PermafrostError => late(task, limits);
      const take = parcelsFrom<Answer>();
      const answered = nextOf(child, take, { mostMs, late: lateSo, ended: endedSo, interrupted, signal });
      sendParcel((part) => child!.send(part), { task, mostBytes } satisfies Order<Task>, given);
      const answer = await answered;
      putBack(child);
      return answer;
    } finally {
      if (oneTask && child !== undefined) await end(child);
      const next = waiting.shift();
      if (next === undefined) taken--;
      else next();
    }
  };
}
