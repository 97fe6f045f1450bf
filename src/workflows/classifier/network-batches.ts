import { PermafrostError } from '../../core/errors.ts';
import { row, type Matrix } from '../../core/matrix.ts';

/** Most images of one run of the network. */
export const BATCH = 8;
/** Runs at once: while one is in the network a full one waits there, so that it never stands idle. */
export const IN_NETWORK = 2;

/** What one call asks for. */
export interface Asked {
  /** Whether it is one image of many: such images wait for a full batch while more of them are being decoded. */
  readonly isBulk?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Images that are asked about at the same time, put into one run of the network. */
export interface NetworkBatches<Squares> {
  /**
   * Features of an image once its pixels are there, shape (width). One that is alone goes into the network at once;
   * what comes while it is busy goes together afterwards. Throws what decoding throws, ENGINE_FAILED, INTERRUPTED.
   */
  features(squares: Promise<Squares>, asked?: Asked): Promise<Float32Array>;
}

interface Waiting<Squares> {
  readonly squares: Squares;
  readonly isBulk: boolean;
  readonly give: (features: Float32Array) => void;
  readonly refuse: (error: unknown) => void;
}

/** What a call throws that was ended by its signal. */
export const interrupted = ({ reason }: AbortSignal): PermafrostError =>
  new PermafrostError('INTERRUPTED', 'Interrupted before the image was answered.', { cause: reason });

/** `run` gives features (n, width) of n images at most BATCH, row i of the i-th. */
export function networkBatches<Squares>(
  run: (squares: readonly Squares[]) => Promise<Matrix>,
): NetworkBatches<Squares> {
  const waiting: Waiting<Squares>[] = [];
  let running = 0;
  // Of many: images that are still being decoded.
  let coming = 0;

  const mayStart = (): boolean => {
    if (waiting.length >= BATCH) return running < IN_NETWORK;
    if (waiting.length === 0 || running > 0) return false;
    return coming === 0 || waiting.some(({ isBulk }) => !isBulk);
  };

  async function runOne(batch: readonly Waiting<Squares>[]): Promise<void> {
    try {
      const X = await run(batch.map(({ squares }) => squares));
      for (const [i, { give }] of batch.entries()) give(row(X, i));
    } catch (error) {
      for (const { refuse } of batch) refuse(error);
    }
  }
  function start(): void {
    while (mayStart()) {
      running++;
      void runOne(waiting.splice(0, BATCH)).finally(() => {
        running--;
        start();
      });
    }
  }
  function inNetwork(squares: Squares, isBulk: boolean, signal?: AbortSignal): Promise<Float32Array> {
    return new Promise((give, refuse) => {
      const leave = (): void => {
        const at = waiting.indexOf(one);
        if (at >= 0) waiting.splice(at, 1);
        refuse(interrupted(signal!));
        // It may have been what the others waited for.
        start();
      };
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', leave);
          settle(value);
        };
      const one = { squares, isBulk, give: done(give), refuse: done(refuse) };
      if (signal?.aborted === true) return leave();
      signal?.addEventListener('abort', leave, { once: true });
      waiting.push(one);
      start();
    });
  }

  return {
    async features(decoding, { isBulk = false, signal } = {}) {
      if (!isBulk) return inNetwork(await decoding, false, signal);
      coming++;
      let squares: Squares;
      try {
        squares = await decoding;
      } catch (error) {
        coming--;
        start();
        throw error;
      }
      coming--;
      return inNetwork(squares, true, signal);
    },
  };
}
