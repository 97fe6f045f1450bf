import { posix } from 'node:path';
import { groupFolders, systemFile, type SystemFiles } from './control-groups.ts';

/** Processors of a list as Linux writes it: `0-3,8`. */
function numbersIn(list: string): number[] {
  return list
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number) as [number, number?];
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

/** Physical cores among the processors that this process may run on; undefined where the system does not tell. */
function allowedCores(read: SystemFiles): number | undefined {
  const [, list] = /^Cpus_allowed_list:\s*(.+)$/m.exec(read('/proc/self/status') ?? '') ?? [];
  if (list === undefined) return undefined;
  const cores = numbersIn(list).map(
    (processor) => read(`/sys/devices/system/cpu/cpu${processor}/topology/thread_siblings_list`) ?? String(processor),
  );
  return new Set(cores.map((siblings) => siblings.trim())).size;
}

/** Processors' worth of time that the control groups grant; Infinity where they set no limit. */
function grantedProcessors(read: SystemFiles): number {
  const grants = groupFolders('cpu', read).map(({ version, path }) => {
    const value = (name: string): string => read(posix.join(path, name)) ?? '';
    const [quota, period] =
      version === 2 ? value('cpu.max').split(' ') : [value('cpu.cfs_quota_us'), value('cpu.cfs_period_us')];
    const granted = Number.parseInt(quota ?? '', 10) / Number.parseInt(period ?? '', 10);
    // "max" in version 2, -1 in version 1: no limit.
    return granted > 0 ? granted : Infinity;
  });
  return Math.min(Infinity, ...grants);
}

/**
 * Physical cores that this process may compute on: those of its affinity (`taskset`, a cpuset), and no more than its
 * control groups grant time for (`docker --cpus`, a limit of Kubernetes), rounded down to one at least: what is left
 * over decodes images. Known on Linux, undefined elsewhere.
 */
export function availableCores(read: SystemFiles = systemFile): number | undefined {
  const cores = allowedCores(read);
  return cores && Math.max(1, Math.min(cores, Math.floor(grantedProcessors(read))));
}
