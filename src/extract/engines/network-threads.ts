import { threadsFor } from '../../core/machine/available-cores.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { RuntimeCalls } from './guarded-executable.ts';
import { networkThread } from './network-thread.ts';

/** Bytes that the copies of a network may take. A larger one has fewer copies, each on several cores. */
const MOST_COPIED_BYTES = 256 * 2 ** 20;

/** Images of a thread under way: while one is inferred the next is there. */
const SLOTS = 2;

/** How many copies of a model of so many bytes run at once, and the threads of each. */
export function copiesFor(bytes: number, cores: number): { readonly copies: number; readonly threads: number } {
  const copies = Math.max(1, Math.min(cores, Math.floor(MOST_COPIED_BYTES / bytes)));
  return { copies, threads: Math.max(1, Math.floor(cores / copies)) };
}

/** Numbers that are handed out as they become free, in the order of asking. */
function slotQueue(count: number) {
  const free = Array.from({ length: count }, (_, slot) => slot);
  const waiting: ((slot: number) => void)[] = [];
  return {
    take: (): Promise<number> =>
      new Promise((resolve) => {
        const slot = free.shift();
        if (slot === undefined) waiting.push(resolve);
        else resolve(slot);
      }),
    give(slot: number): void {
      const next = waiting.shift();
      if (next === undefined) free.push(slot);
      else next(slot);
    },
  };
}

/** A network for threads of its own. */
export interface ThreadedNetwork {
  /** The bytes of an ONNX model. */
  readonly model: Uint8Array;
  /** Side of the square, in pixels. */
  readonly size: number;
  /** The network's outputs. */
  readonly names: readonly string[];
  /** Threads in all; 0: one a core. */
  readonly threads: number;
}

/**
 * A network in ONNX Runtime on threads of its own: a copy a core, each given one image at a time. So no core waits for
 * another, decoding goes on beside them, and an image's features depend neither on its batch nor on how many cores
 * there are. Memory: a copy of the weights a core, MOST_COPIED_BYTES at most, or one copy. Throws ENGINE_FAILED.
 */
export async function networkThreads({ model, size, names, threads }: ThreadedNetwork): Promise<RuntimeCalls> {
  const { copies, threads: ofEach } = copiesFor(model.length, threadsFor(threads) || 1);
  const imageBytes = size * size * 3;
  const pixels = new SharedArrayBuffer(copies * SLOTS * imageBytes);
  const squares = new Uint8Array(pixels);
  const team = Array.from({ length: copies }, () => networkThread({ pixels, size, names }));
  const slots = slotQueue(copies * SLOTS);
  const release = async (): Promise<void> => {
    await Promise.allSettled(team.map((thread) => thread.follow({ kind: 'release' })));
  };
  try {
    await Promise.all(
      team.map((thread) => {
        const copy = model.slice();
        return thread.follow({ kind: 'load', model: copy, threads: ofEach }, [copy.buffer]);
      }),
    );
  } catch (error) {
    await release();
    throw error;
  }

  return {
    runtime: 'ONNX Runtime',
    size,
    async infer(given, count) {
      let features: readonly Matrix[] = [];
      const images: Promise<void>[] = [];
      for (let i = 0; i < count; i++) {
        const slot = await slots.take();
        squares.set(given.subarray(i * imageBytes, (i + 1) * imageBytes), slot * imageBytes);
        const inferred = team[slot % team.length]!.follow({ kind: 'infer', slot });
        const written = inferred.then((outputs) => {
          if (features.length === 0) features = outputs.map(({ length }) => matrix(count, length));
          outputs.forEach((values, o) => features[o]!.data.set(values, i * values.length));
        });
        images.push(written.finally(() => slots.give(slot)));
      }
      // All of them settle before one failure is told: the slots are free again then.
      const failed = (await Promise.allSettled(images)).find(({ status }) => status === 'rejected');
      if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
      return features;
    },
    release,
  };
}
