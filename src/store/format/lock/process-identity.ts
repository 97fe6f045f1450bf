import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Where process numbers mean the same: a host, one boot of it, and one namespace of processes. In containers every
 * program is process 1, and two of them may have one host name. Null where the system does not tell.
 */
export interface ProcessSpace {
  readonly host: string;
  /** The random id of this boot of the kernel (random(4)). */
  readonly boot: string | null;
  /**
   * The namespace of process numbers, as the kernel names it (pid_namespaces(7)); behind it that of clocks, where it is
   * not the first one, for in each the same process began at another time (time_namespaces(7)).
   */
  readonly namespace: string | null;
}

/** A process, so that it can be found again and told from one that was given its number later. */
export interface ProcessIdentity extends ProcessSpace {
  readonly pid: number;
  /** When it began, in clock ticks since boot (proc(5), field 22 of stat); null where the system does not tell. */
  readonly began: string | null;
}

function toldBy(read: () => string): string | null {
  try {
    return read().trim();
  } catch {
    return null; // no Linux, or /proc is not mounted
  }
}

/** The name of the first namespace of clocks, on every Linux (PROC_TIME_INIT_INO of the kernel). */
const FIRST_CLOCKS = 'time:[4026531834]';

function namespaceOfSelf(): string | null {
  const numbers = toldBy(() => readlinkSync('/proc/self/ns/pid'));
  const clocks = toldBy(() => readlinkSync('/proc/self/ns/time'));
  return numbers === null || clocks === null || clocks === FIRST_CLOCKS ? numbers : `${numbers} ${clocks}`;
}

/** When a process of this space began; null where it is not known. */
function beginOf(pid: number): string | null {
  const text = toldBy(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  // The second field is the program's name in parentheses, which may hold anything.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

let own: ProcessIdentity | undefined;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  own ??= {
    host: hostname(),
    boot: toldBy(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace: namespaceOfSelf(),
    pid: process.pid,
    began: beginOf(process.pid),
  };
  return own;
}

/** Names a space in 8 hex digits: parts of file names. */
export const spaceTag = ({ host, boot, namespace }: ProcessSpace): string =>
  createHash('sha256')
    .update(JSON.stringify([host, boot, namespace]))
    .digest('hex')
    .slice(0, 8);

/** Whether a process number of this space is that of no process. */
export function isFree(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Whether a process lives; `unknown` where it is of another space: nobody can tell that from here. */
export function stateOf(other: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  if (spaceTag(other) !== spaceTag(ownIdentity())) return 'unknown';
  if (isFree(other.pid)) return 'dead';
  // Its number may have been given to another process; of one that lives that cannot be told without its begin.
  return other.began !== null && beginOf(other.pid) !== other.began ? 'dead' : 'alive';
}
