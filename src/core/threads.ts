import { parentPort, Worker } from 'node:worker_threads';
import { PermafrostError, reasonOf, type ErrorCode } from './errors.ts';

/** What any thread says where it cannot go on; `code` is null for what is no PermafrostError. */
export interface ThreadFailure {
  readonly kind: 'failed';
  readonly code: ErrorCode | null;
  readonly message: string;
  readonly stack: string;
}

export interface ThreadsOptions {
  /** The module that each thread runs; it calls serveOrders. */
  readonly entry: URL;
  readonly count: number;
  /** Given to each as its workerData. */
  readonly data: unknown;
  readonly signal?: AbortSignal | undefined;
  /** What is told on abort. */
  readonly interrupted: string;
  /** The error for a failure that is no PermafrostError. */
  readonly failure: (failure: Pick<ThreadFailure, 'message' | 'stack'>) => Error;
}

/** Threads that are given orders and answer with messages. */
export interface Threads<Order, Message> {
  readonly workers: readonly Worker[];
  /** Messages that have come and that `next` has not given yet. */
  readonly waiting: () => number;
  send(worker: Worker, order: Order, moved?: readonly ArrayBuffer[]): void;
  /** The next message of any thread, in order of arrival. Throws INTERRUPTED, and what a thread failed with. */
  next(): Promise<{ readonly worker: Worker; readonly message: Message }>;
  /** Ends all threads, each when it next looks for an abort. */
  end(): Promise<void>;
}

/** Starts threads. The caller ends them, whatever happens. */
export function startThreads<Order, Message extends { readonly kind: string }>(
  options: ThreadsOptions,
): Threads<Order, Message> {
  const { entry, count, data, signal, interrupted, failure } = options;
  const inbox: { worker: Worker; message: Message | ThreadFailure }[] = [];
  let wake: () => void = () => undefined;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(entry, { workerData: data });
    const receive = (message: Message | ThreadFailure): void => {
      inbox.push({ worker, message });
      wake();
    };
    worker.on('message', receive);
    worker.on('error', ({ message }) => receive({ kind: 'failed', code: null, message, stack: message }));
    return worker;
  });
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);
  const isFailure = (message: Message | ThreadFailure): message is ThreadFailure => message.kind === 'failed';

  return {
    workers,
    waiting: () => inbox.length,
    send: (worker, order, moved = []) => worker.postMessage(order, [...moved]),
    async next() {
      for (;;) {
        if (signal?.aborted) throw new PermafrostError('INTERRUPTED', interrupted, { cause: signal.reason });
        const found = inbox.shift();
        if (found === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (!isFailure(found.message)) return { worker: found.worker, message: found.message };
        else if (found.message.code === null) throw failure(found.message);
        else throw new PermafrostError(found.message.code, found.message.message);
      }
    },
    async end() {
      signal?.removeEventListener('abort', onAbort);
      // Not terminated: a thread that is torn down inside native code takes the process along.
      for (const worker of workers) worker.postMessage(END);
      await Promise.all(ended);
    },
  };
}

const END = 'end';

/** The side of a thread: follows its orders one by one. The order to end aborts the signal and frees the thread. */
export function serveOrders<Order>(follow: (order: Order, signal: AbortSignal) => Promise<void>): void {
  const port = parentPort!;
  const stop = new AbortController();
  let last: Promise<void> = Promise.resolve();
  port.on('message', (order: Order | typeof END) => {
    if (order === END) {
      stop.abort();
      port.close();
      return;
    }
    last = last
      .then(() => follow(order, stop.signal))
      .catch((error: unknown) => {
        const code = error instanceof PermafrostError ? error.code : null;
        const stack = String((error as Error).stack ?? error);
        port.postMessage({ kind: 'failed', code, message: reasonOf(error), stack } satisfies ThreadFailure);
      });
  });
}
