import type { Call } from './shim.ts';

/** How a call may go wrong (faults.c); with `+` all calls from there on. */
export const WAYS = [
  'kill',
  'torn',
  'ENOSPC',
  'ENOSPC+',
  'EIO',
  'EIO+',
  'EROFS+',
  'EACCES',
  'EMFILE',
  'EINTR',
  'half-ENOSPC',
  'short',
] as const;
export type Way = (typeof WAYS)[number];

/** Ways that tear what is written: of another call they are kill, ENOSPC, or nothing. */
const OF_WRITES: readonly Way[] = ['torn', 'half-ENOSPC', 'short'];

/** Whether a call can go wrong in this way, and not as in another way that is tried too. */
export function isOwnWay(way: Way, { name }: Call): boolean {
  if (OF_WRITES.includes(way)) return name === 'write';
  // Only what makes a file or folder needs a number for it.
  if (way === 'EMFILE') return name === 'open';
  return true;
}

/** The process ends, so that nobody hears of it. */
export const kills = (way: Way): boolean => way === 'kill' || way === 'torn';

/** Nothing is lost: the program has to write the rest, or to call again. */
export const isHarmless = (way: Way): boolean => way === 'short' || way === 'EINTR';
