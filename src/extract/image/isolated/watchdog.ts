// A thread of a process that decodes images: it ends the process that takes too much memory, or that nobody waits for.
import { MAX_PROCESS_BYTES } from './limits.ts';

const EVERY_MS = 50;
const parent = process.ppid;

setInterval(() => {
  if (process.memoryUsage.rss() > MAX_PROCESS_BYTES || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, EVERY_MS);
