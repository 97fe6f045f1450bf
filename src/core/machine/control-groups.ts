import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Reads a file of the system as text; undefined where there is none. */
export type SystemFiles = (path: string) => string | undefined;

/** The files of this system. */
export function systemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Other systems have no such files, and a container shows only those of its own groups.
    return undefined;
  }
}

/** Where Linux keeps the limits of a control group, whose files are named by the version of control groups. */
export interface GroupFolder {
  readonly version: 1 | 2;
  readonly path: string;
}

/** The folders of this process's group and of all that are around it, of one controller: `memory`, `cpu`. */
export function groupFolders(controller: string, read: SystemFiles): readonly GroupFolder[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  return lines.flatMap(([number, controllers = '', group = '/']) => {
    const version = number === '0' && controllers === '' ? 2 : 1;
    if (version === 1 && !controllers.split(',').includes(controller)) return [];
    const root = version === 2 ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
    const found: GroupFolder[] = [];
    for (let at = group; ; at = posix.dirname(at)) {
      found.push({ version, path: posix.join(root, at) });
      if (at === '/' || at === '.') return found;
    }
  });
}
