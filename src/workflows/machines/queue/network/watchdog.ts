// A thread of the process that runs the network: it ends the process when its parent is gone.
import { workerData } from 'node:worker_threads';

const EVERY_MS = 200;
const { parent } = workerData as { readonly parent: number };

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
