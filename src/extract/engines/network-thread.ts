import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PermafrostError } from '../../core/errors.ts';
import type { ThreadFailure } from '../../core/threads.ts';

/** What a thread is started with. */
export interface NetworkThreadData {
  /** Images on their way to the threads: uint8 RGB, shape (slots, size, size, 3). */
  readonly pixels: SharedArrayBuffer;
  /** Side of the square, in pixels. */
  readonly size: number;
  /** The network's outputs. */
  readonly names: readonly string[];
}

/** An order to a thread: a model to load, the image in a slot to infer, or to end. */
export type NetworkOrder =
  | { readonly kind: 'load'; readonly model: Uint8Array; readonly threads: number }
  | { readonly kind: 'infer'; readonly slot: number }
  | { readonly kind: 'release' };

/** What a thread answers to each order: the outputs of an image, in the order of their names; else nothing. */
export type NetworkAnswer = readonly Float32Array[];

/** Worker threads run JavaScript alone: from the sources it is what the build made of them. */
const ENTRY = new URL(
  extname(import.meta.url) === '.ts'
    ? '../../../dist/extract/engines/onnxruntime-thread.js'
    : './onnxruntime-thread.js',
  import.meta.url,
);

/** A thread with a network in it. */
export interface NetworkThread {
  /** Carries an order out after those before it. Throws what it fails with. */
  readonly follow: (order: NetworkOrder, moved?: readonly ArrayBuffer[]) => Promise<NetworkAnswer>;
}

/** Starts a thread. It ends with the order to release; while it has nothing to do the process may end before. */
export function networkThread(data: NetworkThreadData): NetworkThread {
  const worker = new Worker(ENTRY, { workerData: data });
  const waiting: { readonly done: (answer: NetworkAnswer) => void; readonly failed: (error: unknown) => void }[] = [];
  let crash: Error | undefined;
  /** The order that was given first is answered first. */
  function settle(tell: (order: (typeof waiting)[number]) => void): void {
    const order = waiting.shift();
    if (waiting.length === 0) worker.unref();
    if (order !== undefined) tell(order);
  }
  worker.on('message', (message: NetworkAnswer | ThreadFailure) => {
    if (!('kind' in message)) settle(({ done }) => done(message));
    else if (message.code !== null) settle(({ failed }) => failed(new PermafrostError(message.code!, message.message)));
    else settle(({ failed }) => failed(new Error(message.message)));
  });
  const ended = (error: Error): void => {
    crash ??= error;
    while (waiting.length > 0) settle(({ failed }) => failed(crash));
  };
  worker.on('error', ended);
  worker.on('exit', () => ended(new Error('its thread ended')));
  worker.unref();
  return {
    follow: (order, moved = []) =>
      new Promise((done, failed) => {
        if (crash !== undefined) throw crash;
        if (waiting.length === 0) worker.ref();
        waiting.push({ done, failed });
        worker.postMessage(order, [...moved]);
      }),
  };
}
