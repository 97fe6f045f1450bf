// A process of its own, started by process-pool.ts: it makes one image after the other, and can be ended at any time.
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { decode, readHeader } from '../decode.ts';
import { toWebp } from './to-webp.ts';
import { READY, type ImageAnswer, type ImageTask } from './task.ts';

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

// On a thread of its own, as a decoder may hold this one.
new Worker(new URL(`./watchdog${extname(import.meta.url)}`, import.meta.url)).unref();

process.on('message', (task) => void answerTo(task as ImageTask).then((answer) => process.send!(answer)));
// Whoever asked is gone. Not exit(): it would wait for what sharp's threads are doing.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.send!(READY);
