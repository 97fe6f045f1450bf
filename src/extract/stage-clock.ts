/**
 * Where an extraction's time went, in seconds. load, wait (nothing in the network, pixels are late), infer and write
 * exclude each other and sum up to the whole; read and decode are sums over the images, done at the same time.
 */
export type StageSeconds = Readonly<Record<'load' | 'wait' | 'infer' | 'write' | 'read' | 'decode', number>>;

/** What the pipeline's main line does while no batch is in the network. */
export type Stage = 'load' | 'wait' | 'write';

/** Tells where the time of a pipeline goes. */
export interface StageClock {
  /** From now on the main line does this, whenever the network has nothing to do. */
  enter(stage: Stage): void;
  /** A batch goes into the network (1) or comes out of it (-1). */
  network(change: 1 | -1): void;
  /** A file was read and hashed, or an image decoded, in so many milliseconds. */
  image(work: 'read' | 'decode', ms: number): void;
  seconds(): StageSeconds;
}

/**
 * A clock that starts with waiting. infer is all time with a batch in the network, whatever else goes on. What an image
 * waits for a thread counts as decoding.
 */
export function stageClock(now: () => number = () => performance.now()): StageClock {
  const spent = { load: 0, wait: 0, infer: 0, write: 0, read: 0, decode: 0 };
  let stage: Stage = 'wait';
  let inNetwork = 0;
  let since = now();
  function settle(): void {
    const time = now();
    spent[inNetwork > 0 ? 'infer' : stage] += (time - since) / 1000;
    since = time;
  }
  return {
    enter(next) {
      settle();
      stage = next;
    },
    network(change) {
      settle();
      inNetwork += change;
    },
    image(work, ms) {
      spent[work] += ms / 1000;
    },
    seconds() {
      settle();
      return { ...spent };
    },
  };
}
