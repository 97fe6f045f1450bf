import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { availableCores } from '../../../src/core/machine/available-cores.ts';

/** The files of a machine of four cores with two hyper-threads each, and of what a process may use of it. */
const system =
  (allowed: string, files: Readonly<Record<string, string>> = {}) =>
  (path: string): string | undefined => {
    const [, processor] = /cpu(\d+)\/topology\/thread_siblings_list$/.exec(path) ?? [];
    if (processor !== undefined) return `${Number(processor) % 4},${(Number(processor) % 4) + 4}\n`;
    return { '/proc/self/status': `Name:\tnode\nCpus_allowed_list:\t${allowed}\nMems_allowed:\t1\n`, ...files }[path];
  };

describe('the cores that a process may use', () => {
  it('are those of its affinity, hyper-threads of one core counted once', () => {
    expect(availableCores(system('0-7'))).toBe(4);
    expect(availableCores(system('0,4'))).toBe(1);
    expect(availableCores(system('0-1,5-6'))).toBe(3);
    expect(availableCores(system('7'))).toBe(1);
  });

  it('are no more than the control groups grant, those around it too, and one at least', () => {
    const granted = (inner: string, outer: string) =>
      availableCores(
        system('0-7', {
          '/proc/self/cgroup': '0::/pods/one\n',
          '/sys/fs/cgroup/pods/one/cpu.max': inner,
          '/sys/fs/cgroup/pods/cpu.max': outer,
        }),
      );
    expect(granted('max 100000\n', 'max 100000\n')).toBe(4);
    expect(granted('300000 100000\n', 'max 100000\n')).toBe(3);
    expect(granted('300000 100000\n', '250000 100000\n')).toBe(2);
    expect(granted('50000 100000\n', 'max 100000\n')).toBe(1);
    expect(granted('1600000 100000\n', 'max 100000\n')).toBe(4);
  });

  it('are found in version 1 of control groups too', () => {
    const quota = (value: string) =>
      availableCores(
        system('0-7', {
          '/proc/self/cgroup': '9:cpu,cpuacct:/docker/x\n0::/\n',
          '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us': value,
          '/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us': '100000\n',
        }),
      );
    expect(quota('200000\n')).toBe(2);
    expect(quota('-1\n')).toBe(4);
  });

  it('are not known where there is no such system', () => {
    expect(availableCores(() => undefined)).toBeUndefined();
  });

  it.runIf(process.platform === 'linux')('are those of taskset in a process of its own', () => {
    const built = new URL('../../../dist/core/machine/available-cores.js', import.meta.url).href;
    const script = `console.log((await import(${JSON.stringify(built)})).availableCores())`;
    const node = [process.execPath, '--input-type=module', '-e', script];
    const pinned = spawnSync('taskset', ['-c', '0', ...node], { encoding: 'utf8' });
    expect(pinned.stdout.trim()).toBe('1');
    expect(availableCores()).toBeLessThanOrEqual(availableParallelism());
  });
});
