import { freemem } from 'node:os';
import { posix } from 'node:path';
import { groupFolders, systemFile, type GroupFolder, type SystemFiles } from '../core/machine/control-groups.ts';

/** The files of a version of control groups. */
interface GroupFiles {
  readonly limit: string;
  readonly usage: string;
  /** The field of memory.stat that counts cached files which are given up when memory is short. */
  readonly cache: string;
}

const FILES: Readonly<Record<GroupFolder['version'], GroupFiles>> = {
  1: { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes', cache: 'total_inactive_file' },
  2: { limit: 'memory.max', usage: 'memory.current', cache: 'inactive_file' },
};

/** What is left in a control group; Infinity where it has no limit ("max") or cannot be seen. */
function roomInGroup({ version, path }: GroupFolder, read: SystemFiles): number {
  const { limit, usage, cache } = FILES[version];
  const most = Number.parseInt(read(posix.join(path, limit)) ?? '', 10);
  const used = Number.parseInt(read(posix.join(path, usage)) ?? '', 10);
  if (Number.isNaN(most) || Number.isNaN(used)) return Infinity;
  const [, cached = '0'] = new RegExp(`^${cache} (\\d+)$`, 'm').exec(read(posix.join(path, 'memory.stat')) ?? '') ?? [];
  return Math.max(0, most - Math.max(0, used - Number(cached)));
}

/** What is left in the group of this process and in all that are around it. */
const roomInGroups = (read: SystemFiles): number =>
  Math.min(Infinity, ...groupFolders('memory', read).map((folder) => roomInGroup(folder, read)));

/**
 * Bytes that processes can take before the system runs short, within the limits of this one's control groups. Node 20's
 * `process.availableMemory` counts cached files as taken and sees the innermost group only.
 */
export function availableMemory(read: SystemFiles = systemFile): number {
  const [, kibibytes] = /^MemAvailable: +(\d+) kB$/m.exec(read('/proc/meminfo') ?? '') ?? [];
  const free = kibibytes === undefined ? freemem() : 1024 * Number(kibibytes);
  return Math.min(free, roomInGroups(read));
}
