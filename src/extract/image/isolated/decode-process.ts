// A process of its own, started by process-pool.ts: it makes one image after the other, and can be ended at any time.
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { NO_BYTES } from '../../isolated/parcels.ts';
import { serveTasks } from '../../isolated/serve-tasks.ts';
import { decode, readHeader } from '../decode.ts';
import { toWebp } from './to-webp.ts';
import type { ImageAnswer, ImageTask } from './task.ts';

async function answerTo(task: ImageTask): Promise<ImageAnswer> {
  try {
    if (task.kind === 'webp') return { kind: 'webp', file: await toWebp(task.bytes, task.size, task.quality) };
    const header = await readHeader(task.bytes, task.mostPixels);
    return { kind: 'square', header, pixels: await decode(task.bytes, header, task.contract, task.timeoutMs) };
  } catch (error) {
    if (error instanceof PermafrostError) return { kind: 'failure', code: error.code, message: error.message };
    return { kind: 'failure', code: 'IMAGE_UNDECODABLE', message: reasonOf(error) };
  }
}

serveTasks(async (task: ImageTask) => ({ content: await answerTo(task), bytes: NO_BYTES }));
