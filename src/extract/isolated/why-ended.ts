import type { TaskLimits } from './process-pool.ts';

/** How a process of a pool ended before it answered, as the end of a sentence that begins with what ran in it. */
export function whyEnded(how: number | string | null, { mostBytes }: Pick<TaskLimits, 'mostBytes'>): string {
  // Its watchdog's signal; also the system's, where the machine's memory is short.
  if (how === 'SIGKILL') return `took ${Math.round(mostBytes / 2 ** 20)} MiB of memory and was stopped`;
  if (typeof how === 'string' && !how.startsWith('SIG')) return `did not start (${how})`;
  return `ended with ${typeof how === 'number' ? `exit code ${how}` : how} before it answered`;
}
