import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parcelsFrom, sendParcel, type Parcel } from './parcels.ts';
import { READY, type Order } from './process-pool.ts';

/** On Linux: where memory is short the system ends this process before any other. */
function endFirst(): void {
  if (process.platform !== 'linux') return;
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Where that may not be written the watchdog alone must do.
  }
}

/** The side of a process that a pool started: it answers one task after the other, and can be ended at any time. */
export function serveTasks<Task, Answer>(answerTo: (task: Task, bytes: Uint8Array) => Promise<Parcel<Answer>>): void {
  // On a thread of its own, as a task may hold this one.
  const watchdog = new Worker(new URL(`./watchdog${extname(import.meta.url)}`, import.meta.url));
  watchdog.unref();
  endFirst();
  const take = parcelsFrom<Order<Task>>();
  process.on('message', (message) => {
    const parcel = take(message);
    if (parcel === undefined) return;
    const { task, mostBytes } = parcel.content;
    watchdog.postMessage(mostBytes);
    void answerTo(task, parcel.bytes).then(({ content, bytes }) =>
      sendParcel((part) => void process.send!(part), content, bytes),
    );
  });
  // The parent gets them too, from the same terminal, and says what is to be done.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // Whoever asked is gone. Not exit(): it would wait for what a library's threads are doing.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.send!(READY);
}
