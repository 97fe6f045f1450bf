import type { FilledResult, QueueProgress } from '../../../results/queue-result.ts';
import type { Work } from '../../work.ts';

/** What the one who fills a queue takes beside. */
export interface RunOnQueueWork extends Work {
  /** Once the units are on the queue. */
  readonly onFilled?: ((filled: FilledResult) => void) | undefined;
  /** Every two seconds while it waits. */
  readonly onProgress?: ((progress: QueueProgress) => void) | undefined;
}
