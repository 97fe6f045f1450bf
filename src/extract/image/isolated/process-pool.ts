import { extname } from 'node:path';
import { PermafrostError } from '../../../core/errors.ts';
import { NO_BYTES } from '../../isolated/parcels.ts';
import { processPool } from '../../isolated/process-pool.ts';
import { tookTooLong } from '../what-is-wrong.ts';
import { MAX_PROCESS_BYTES } from './limits.ts';
import type { ImageAnswer, ImageTask } from './task.ts';

/** Why there is no picture where its process ended on its own; `cause` tells it from what a process answers. */
function ended(how: number | string | null): PermafrostError {
  return new PermafrostError(
    'IMAGE_UNDECODABLE',
    how === 'SIGKILL'
      ? `Decoding it takes more than ${MAX_PROCESS_BYTES / 2 ** 30} GiB of memory and was ended. Save it in a simpler form, or take it out.`
      : `The process that decodes it ended with ${how} before it answered. Save it in another form, or take it out.`,
    { cause: how },
  );
}

const decodeInProcess = processPool<ImageTask, ImageAnswer>({
  entry: new URL(`./decode-process${extname(import.meta.url)}`, import.meta.url),
  ended,
  late: (_task, { mostMs }) => tookTooLong(mostMs),
  interrupted: () => new PermafrostError('INTERRUPTED', 'Interrupted while an image was decoded.'),
});

/**
 * Makes what is asked of an image in a process of its own, which is ended after `timeoutMs` or where it takes more than
 * MAX_PROCESS_BYTES. As many at once as there are cores, at most four; the clock begins when one is free. Throws
 * IMAGE_UNDECODABLE, what decoding throws, or INTERRUPTED.
 */
export async function inProcess<K extends ImageTask['kind']>(
  task: Extract<ImageTask, { kind: K }>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<Extract<ImageAnswer, { kind: K }>> {
  const limits = { mostMs: timeoutMs, mostBytes: MAX_PROCESS_BYTES, signal };
  const { content: answer } = await decodeInProcess(task, NO_BYTES, limits);
  if (answer.kind === 'failure') throw new PermafrostError(answer.code, answer.message);
  return answer as Extract<ImageAnswer, { kind: K }>;
}
