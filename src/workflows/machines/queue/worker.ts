import { PermafrostError } from '../../../core/errors.ts';
import { resolveOptions } from '../../../core/options.ts';
import { plural } from '../../../core/words.ts';
import type { WorkedUnit, WorkerResult } from '../../../results/queue-result.ts';
import type { Work } from '../../work.ts';
import { mergedRun } from '../plan-file.ts';
import { queueAddress } from './address.ts';
import { checkServer, connectionNotes } from './connection.ts';
import { keepNetwork, NETWORK_ENTRY } from './network/network-process.ts';
import { WORKER_OPTIONS, type WorkerOptions } from './options.ts';
import { loadQueuePackages } from './packages.ts';
import { takeUnits } from './take-units.ts';
import { openUnitQueue } from './unit-queue.ts';
import { untilDone } from './until-done.ts';

/** What `worker` takes beside its options. */
export interface WorkerWork extends Work {
  /** Told of each unit as it ends. */
  readonly onUnit?: (unit: WorkedUnit) => void;
}

/**
 * Takes units of a plan from the queue at `url` and extracts them, until all are there. This process holds the lease
 * of a unit, and the network runs in a process of its own (the module `entry`), so that the lease is renewed whatever
 * the network does. Throws before it takes work OPTION_INVALID, PACKAGE_MISSING, QUEUE_UNAVAILABLE, and
 * FINGERPRINT_MISMATCH where this machine would make other features; later INTERRUPTED, when it has given back its
 * unit, and what a unit failed with where several did in a row.
 */
export async function worker(
  url: string,
  given: Partial<WorkerOptions>,
  work: WorkerWork = {},
  entry: URL = NETWORK_ENTRY,
): Promise<WorkerResult> {
  const started = performance.now();
  const { plan, root, weights, threads, leaseSeconds, leaseCheckSeconds, ...way } = resolveOptions(
    'worker',
    WORKER_OPTIONS,
    given,
  );
  if (plan === '') throw new PermafrostError('OPTION_INVALID', 'worker needs --plan, as "permafrost plan" named it.');
  const { listener, signal = new AbortController().signal } = work;
  const address = await queueAddress(url, way);
  const units = { made: 0, there: 0, 'lost-race': 0, failed: 0 };
  const merged = await mergedRun(plan);
  if (merged !== undefined) {
    listener?.note?.(`There is no plan at ${plan} any more, for its run was merged: nothing is left to do.`);
    return { run: merged, queue: address.shown, units, images: 0, failures: 0, missing: 0, seconds: 0 };
  }
  const packages = await loadQueuePackages();
  await checkServer(packages, address, listener);

  let [images, failures] = [0, 0];
  const onUnit = (unit: WorkedUnit): void => {
    units[unit.outcome]++;
    if (unit.outcome === 'made') [images, failures] = [images + unit.images, failures + unit.failures];
    work.onUnit?.(unit);
  };

  const { network, end } = keepNetwork({ entry, plan, root, weights, threads, listener });
  try {
    const { opened } = await network(signal);
    const notes = connectionNotes(address, listener);
    const queue = openUnitQueue(packages, address, { run: opened.run, use: 'look', notes });
    const leases = { leaseSeconds, leaseCheckSeconds };
    const taker = takeUnits({ ...leases, packages, address, opened, network, notes, listener, onUnit });
    if (signal.aborted) taker.stop();
    signal.addEventListener('abort', taker.stop);
    try {
      const missing = await untilDone({ taker, queue, network, signal, listener });
      if (signal.aborted)
        throw new PermafrostError(
          'INTERRUPTED',
          `Interrupted after ${plural(units.made, 'unit')}; what was under way went back to the queue.`,
        );
      if (missing === 0) await queue.clear();
      const seconds = (performance.now() - started) / 1000;
      return { run: opened.run, queue: address.shown, units, images, failures, missing, seconds };
    } finally {
      signal.removeEventListener('abort', taker.stop);
      taker.stop();
      await queue.close();
    }
  } finally {
    end();
  }
}
