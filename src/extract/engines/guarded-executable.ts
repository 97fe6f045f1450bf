import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { Executable } from './engine.ts';

/** What an engine brings: the runtime's own calls, which may reject with anything. */
export interface RuntimeCalls {
  readonly runtime: string;
  /** Side of the square, in pixels. */
  readonly size: number;
  /** Infers `count` images from exactly count * size * size * 3 bytes; the matrices belong to the caller. */
  readonly infer: (pixels: Uint8Array, count: number) => Promise<readonly Matrix[]>;
  /** Frees the runtime's memory. Called once, when no inference is in flight. */
  readonly release: () => Promise<void>;
}

/**
 * The promises of Executable that hold for each engine: arguments are checked, what the runtime throws becomes one
 * ENGINE_FAILED, and dispose waits for the runs in flight and happens once.
 */
export function guardedExecutable({ runtime, size, infer, release }: RuntimeCalls): Executable {
  const inFlight = new Set<Promise<unknown>>();
  let released: Promise<void> | undefined;

  function check(pixels: Uint8Array, count: number): void {
    const needed = count * size * size * 3;
    if (released !== undefined) {
      throw new PermafrostError('ENGINE_FAILED', 'This executable is disposed. Load the program again.');
    }
    if (!Number.isInteger(count) || count < 1 || pixels.length < needed) {
      throw new PermafrostError(
        'ENGINE_FAILED',
        `Got ${pixels.length} bytes of pixels for ${count} images, expected at least one image and ${needed} bytes (${size} x ${size} x 3 each).`,
      );
    }
  }

  return {
    async run(pixels, count) {
      check(pixels, count);
      const running = infer(pixels.subarray(0, count * size * size * 3), count);
      inFlight.add(running);
      try {
        return await running;
      } catch (cause) {
        throw new PermafrostError(
          'ENGINE_FAILED',
          `${runtime} failed on a batch of ${count}: ${reasonOf(cause)}. Where memory ran out, take a smaller batch.`,
          { cause },
        );
      } finally {
        inFlight.delete(running);
      }
    },
    dispose() {
      released ??= Promise.allSettled(inFlight).then(release);
      return released;
    },
  };
}
