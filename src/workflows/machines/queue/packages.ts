import type * as BullMq from 'bullmq';
import type * as IoRedis from 'ioredis';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';

export type { Job } from 'bullmq';

/** The packages of the queue, which are optional. */
export interface QueuePackages {
  readonly bullmq: typeof BullMq;
  readonly Redis: typeof IoRedis.Redis;
}

/** BullMQ and its client: the one place that imports them. Throws PACKAGE_MISSING where one is not installed. */
export async function loadQueuePackages(): Promise<QueuePackages> {
  try {
    const [bullmq, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis };
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `A queue needs the packages bullmq and ioredis, which do not load: ${reasonOf(cause)}. Run "npm install bullmq ioredis" where permafrost is installed.`,
      { cause },
    );
  }
}
