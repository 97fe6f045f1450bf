import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { posix } from 'node:path';

/** Reads a file of the system as text; undefined where there is none. */
export type SystemFiles = (path: string) => string | undefined;

function systemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Other systems have no such files, and a container shows only those of its own groups.
    return undefined;
  }
}

/** The files of a version of control groups, below `root`. */
interface GroupFiles {
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  /** The field of memory.stat that counts cached files which are given up when memory is short. */
  readonly cache: string;
}

const V2: GroupFiles = { root: '/sys/fs/cgroup', limit: 'memory.max', usage: 'memory.current', cache: 'inactive_file' };
const V1: GroupFiles = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  cache: 'total_inactive_file',
};

/** What is left in a control group; Infinity where it has no limit ("max") or cannot be seen. */
function roomInGroup(folder: string, { limit, usage, cache }: GroupFiles, read: SystemFiles): number {
  const most = Number.parseInt(read(posix.join(folder, limit)) ?? '', 10);
  const used = Number.parseInt(read(posix.join(folder, usage)) ?? '', 10);
  if (Number.isNaN(most) || Number.isNaN(used)) return Infinity;
  const [, cached = '0'] =
    new RegExp(`^${cache} (\\d+)$`, 'm').exec(read(posix.join(folder, 'memory.stat')) ?? '') ?? [];
  return Math.max(0, most - Math.max(0, used - Number(cached)));
}

/** What is left in the group of this process and in all that are around it. */
function roomInGroups(read: SystemFiles): number {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const rooms = lines.flatMap(([number, controllers = '', group = '/']) => {
    const files = number === '0' && controllers === '' ? V2 : V1;
    if (files === V1 && !controllers.split(',').includes('memory')) return [];
    const found: number[] = [];
    for (let at = group; ; at = posix.dirname(at)) {
      found.push(roomInGroup(posix.join(files.root, at), files, read));
      if (at === '/' || at === '.') return found;
    }
  });
  return Math.min(Infinity, ...rooms);
}

/**
 * Bytes that processes can take before the system runs short, within the limits of this one's control groups. Node 20's
 * `process.availableMemory` counts cached files as taken and sees the innermost group only.
 */
export function availableMemory(read: SystemFiles = systemFile): number {
  const [, kibibytes] = /^MemAvailable: +(\d+) kB$/m.exec(read('/proc/meminfo') ?? '') ?? [];
  const free = kibibytes === undefined ? freemem() : 1024 * Number(kibibytes);
  return Math.min(free, roomInGroups(read));
}
