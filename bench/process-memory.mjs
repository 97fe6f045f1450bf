// @ts-check
// Memory of a process and of all that it has started. Linux: it is read from /proc.
import { readFileSync } from 'node:fs';

/** A process and what it has started, and these in turn. @param {number} pid @returns {number[]} */
function family(pid) {
  const found = [pid];
  for (const one of found) {
    try {
      for (const child of readFileSync(`/proc/${one}/task/${one}/children`, 'utf8').split(' '))
        if (child !== '') found.push(Number(child));
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Resident bytes of them all now, a page that several have counted once. @param {number} pid */
export function familyMemory(pid) {
  let bytes = 0;
  for (const one of family(pid)) {
    try {
      bytes += 1024 * Number(/Pss:\s+(\d+)/.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1]);
    } catch {
      // It has ended.
    }
  }
  return bytes;
}

/**
 * Watches that memory; the returned function gives the most since it was last called. @param {number} pid @param
 * {number} [everyMs]
 */
export function watchFamily(pid, everyMs = 200) {
  let peak = 0;
  // Summing a process's pages stops it for a millisecond or ten: often enough, not always.
  const look = () => (peak = Math.max(peak, familyMemory(pid)));
  setInterval(look, everyMs).unref();
  return () => {
    look();
    const most = peak;
    peak = 0;
    return most;
  };
}
