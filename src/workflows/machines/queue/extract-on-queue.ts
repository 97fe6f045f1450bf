import { PermafrostError } from '../../../core/errors.ts';
import { resolveOptions } from '../../../core/options.ts';
import type { QueuedResult } from '../../../results/queue-result.ts';
import { merge } from '../merge.ts';
import { plan } from '../plan.ts';
import { readPlan } from '../plan-file.ts';
import { openOwnPlan } from '../s3/shared-plan.ts';
import { queueAddress } from './address.ts';
import { checkServer } from './connection.ts';
import { ON_QUEUE_OPTIONS, type OnQueueOptions } from './options.ts';
import { loadQueuePackages } from './packages.ts';
import type { RunOnQueueWork } from './on-queue-work.ts';
import { runOnQueue } from './run-on-queue.ts';

export type { RunOnQueueWork } from './on-queue-work.ts';

/**
 * Plans the extraction of a data set, puts the units that are missing on a queue for workers to extract, and with
 * `wait` waits for all of them and merges. It can be repeated: the same is planned, and finished units are kept.
 * Throws OPTION_INVALID, PACKAGE_MISSING and QUEUE_UNAVAILABLE before it plans; then what `plan` and `merge` throw,
 * UNITS_MISSING where units failed at all attempts, and INTERRUPTED (workers go on).
 */
export async function extractOnQueue(
  datasetPath: string,
  given: Partial<OnQueueOptions>,
  work: RunOnQueueWork = {},
): Promise<QueuedResult> {
  const options = resolveOptions('extract on a queue', ON_QUEUE_OPTIONS, given);
  const { queue, wait, attempts, queuePasswordFile, queueCa, queuePrefix, insecure, ...planned } = options;
  if (queue === '') throw new PermafrostError('OPTION_INVALID', 'The address of the queue is missing.');
  const address = await queueAddress(queue, { queuePasswordFile, queueCa, queuePrefix, insecure });
  const packages = await loadQueuePackages();
  await checkServer(packages, address, work.listener);
  const { plan: path, store, run } = await plan(datasetPath, planned, work);
  const opened = await openOwnPlan(await readPlan(path));
  const filled = await runOnQueue(opened, { packages, address, attempts, wait }, work).finally(() => opened.close());
  return { filled, merged: wait ? await merge(store, { run }, work) : null };
}
