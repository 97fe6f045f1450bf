// A thread of a process that serves tasks: it ends the process that takes too much memory, or that nobody waits for.
import { parentPort } from 'node:worker_threads';

const EVERY_MS = 50;
const parent = process.ppid;
let mostBytes = Infinity;

parentPort!.on('message', (bytes: number) => (mostBytes = bytes));
setInterval(() => {
  if (process.memoryUsage.rss() > mostBytes || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
