import { fork } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { SweepResult } from '../../results/sweep-result.ts';
import type { SweepNews, SweepOrder } from './process-entry.ts';
import type { SweepRequest, SweepWork } from './sweep.ts';

const ENTRY = new URL(`./process-entry${extname(import.meta.url)}`, import.meta.url);

/**
 * Arrays above this size return to the system when freed (glibc, mallopt(3)); by default the size grows to 32 MiB, and
 * threads keep what fits nothing else. Can be set before a process starts only. Measured on 16,712 images of 512
 * numbers: at most 0.75 GB where it was 1.00 to 1.20.
 */
const ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };
/** How long a sweep may take to end by itself when it is stopped, in milliseconds. */
const PATIENCE_MS = 3000;

/**
 * `sweep` in a process of its own, whose memory is gone when it ends. Stopping ends threads in the middle of native
 * products, which may take their process along. Throws what `sweep` throws, and ENGINE_FAILED where its process dies.
 */
export async function sweepInProcess(
  store: string,
  request: SweepRequest = {},
  work: SweepWork = {},
): Promise<SweepResult> {
  const { signal, listener } = work;
  const child = fork(ENTRY, { serialization: 'advanced', execArgv: [], env: { ...ENVIRONMENT, ...process.env } });
  let kept = 0;
  let end: Extract<SweepNews, { kind: 'done' | 'failed' }> | undefined;
  child.on('message', (message) => {
    const news = message as SweepNews;
    switch (news.kind) {
      case 'note':
        listener?.note?.(news.text);
        break;
      case 'progress':
        listener?.progress?.(news.state);
        break;
      case 'candidate':
        kept = news.state.done;
        work.onCandidate?.(news.candidate, news.state);
        break;
      default:
        end = news;
    }
  });
  let impatient: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (child.connected) child.send({ do: 'stop' } satisfies SweepOrder);
    impatient = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  };
  try {
    // A message may arrive after the exit, but not after the disconnection.
    const over = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    child.send({ do: 'sweep', store, request } satisfies SweepOrder);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop);
    const [[code, name]] = (await over) as [[number | null, string | null], unknown];
    if (end?.kind === 'done') return end.result;
    if (end !== undefined && end.code !== null) throw new PermafrostError(end.code, end.message);
    if (end !== undefined) throw new Error(`The process of the sweep failed: ${end.stack}`);
    if (signal?.aborted)
      throw new PermafrostError(
        'INTERRUPTED',
        `Interrupted: ${kept} configurations are kept in the store. Run the same command again to go on.`,
      );
    throw new PermafrostError(
      'ENGINE_FAILED',
      `The process of the sweep ended with ${code ?? name}; the ${kept} configurations that it found are kept, and the same command goes on from there. Where nobody ended it the system was short of memory: give less with --memory.`,
    );
  } finally {
    clearTimeout(impatient);
    signal?.removeEventListener('abort', stop);
  }
}
