import { setTimeout as sleep } from 'node:timers/promises';
import type { Listener } from '../../../core/listener.ts';
import { plural } from '../../../core/words.ts';
import type { NetworkProcess } from './network-process.ts';
import type { UnitTaker } from './take-units.ts';
import type { UnitQueue } from './unit-queue.ts';

/** Milliseconds between two looks whether all is done. */
const EVERY_MS = 1000;

export interface UntilDoneOptions {
  readonly taker: UnitTaker;
  readonly queue: UnitQueue;
  readonly network: (signal: AbortSignal) => Promise<NetworkProcess>;
  readonly signal: AbortSignal;
  readonly listener: Listener | undefined;
}

/**
 * Waits until a worker has nothing left to do: no unit waits or is under way, and those that are missing have failed.
 * An empty queue alone says nothing: it may not be filled yet, or its server may have lost it. Returns how many units
 * are missing. Throws what the taker ends with.
 */
export async function untilDone({ taker, queue, network, signal, listener }: UntilDoneOptions): Promise<number> {
  let missing = 0;
  let isTold = false;

  async function isDone(): Promise<boolean> {
    if (taker.isBusy()) return false;
    const { waiting, active, failed } = await queue.counts();
    if (waiting + active > 0 || taker.isBusy()) return false;
    const counted = await (await network(signal)).countMissing({ signal });
    if (typeof counted !== 'number') return false;
    missing = counted;
    if (missing > failed && !isTold) {
      isTold = true;
      listener?.note?.(
        `The queue holds no unit, and of the plan ${plural(missing, 'unit is', 'units are')} missing: waiting for "permafrost extract DATASET --queue" to put ${missing === 1 ? 'it' : 'them'} there.`,
      );
    }
    return missing <= failed;
  }

  let isOver = false;
  const over = taker.over.finally(() => (isOver = true));
  while (!isOver) {
    if ((await Promise.race([isDone(), over])) === true) taker.stop();
    // Not kept alive by this: what holds the process is the connection.
    await Promise.race([over, sleep(EVERY_MS, undefined, { ref: false })]);
  }
  return missing;
}
