import { describe, expect, it } from 'vitest';
import { availableMemory } from '../../src/workflows/available-memory.ts';
import { halfOf, memoryBound, memoryOption } from '../../src/workflows/memory.ts';

const GIB = 2 ** 30;
const MEMINFO = `MemTotal:       33554432 kB\nMemFree:         2097152 kB\nMemAvailable:   25165824 kB\n`;

/** The files of a system, by their paths. */
const system = (files: Readonly<Record<string, string>>) => (path: string) =>
  ({ '/proc/meminfo': MEMINFO, ...files })[path];

describe('available memory', () => {
  it('is what the system tells, not what is free', () => {
    expect(availableMemory(system({}))).toBe(24 * GIB);
  });

  it('is the room of the control group where that is less, whose cached files can be given up', () => {
    const group = (max: string) =>
      system({
        '/proc/self/cgroup': '0::/user.slice/app\n',
        '/sys/fs/cgroup/user.slice/app/memory.max': `${max}\n`,
        '/sys/fs/cgroup/user.slice/app/memory.current': `${3 * GIB}\n`,
        '/sys/fs/cgroup/user.slice/app/memory.stat': `anon ${GIB}\nactive_file 5\ninactive_file ${2 * GIB}\n`,
      });
    expect(availableMemory(group(String(4 * GIB)))).toBe(3 * GIB);
    expect(availableMemory(group('max'))).toBe(24 * GIB);
    expect(availableMemory(group(String(GIB / 2)))).toBe(0);
    expect(availableMemory(group(String(64 * GIB)))).toBe(24 * GIB);
  });

  it('is the least room of the group and of those around it', () => {
    const parents = system({
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/memory.max': 'max\n',
      '/sys/fs/cgroup/a/b/memory.current': '1\n',
      '/sys/fs/cgroup/a/memory.max': `${6 * GIB}\n`,
      '/sys/fs/cgroup/a/memory.current': `${GIB}\n`,
    });
    expect(availableMemory(parents)).toBe(5 * GIB);
  });

  it('is that of version 1 too, also where a container shows its own group alone', () => {
    const lines = '9:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n';
    const files = (folder: string, limit: number) =>
      system({
        '/proc/self/cgroup': lines,
        [`${folder}/memory.limit_in_bytes`]: `${limit}\n`,
        [`${folder}/memory.usage_in_bytes`]: `${2 * GIB}\n`,
        [`${folder}/memory.stat`]: `inactive_file 7\ntotal_inactive_file ${GIB}\n`,
      });
    expect(availableMemory(files('/sys/fs/cgroup/memory/docker/x', 8 * GIB))).toBe(7 * GIB);
    expect(availableMemory(files('/sys/fs/cgroup/memory', 8 * GIB))).toBe(7 * GIB);
    // What Linux writes for no limit.
    expect(availableMemory(files('/sys/fs/cgroup/memory', 9223372036854771712))).toBe(24 * GIB);
  });

  it('is something on this machine, whatever it is', () => {
    const bytes = availableMemory();
    expect(bytes).toBeGreaterThan(1e8);
    expect(bytes).toBeLessThan(2 ** 50);
  });
});

describe('the option memory', () => {
  it('is half of what is available, but 1 GB where there is so much', () => {
    expect(halfOf(24e9)).toBe(12e9);
    expect(halfOf(1.5e9)).toBe(1e9);
    expect(halfOf(0.7e9)).toBe(0.7e9);
  });

  it('tells what was chosen, and nothing where it was given', () => {
    const notes: string[] = [];
    const listener = { note: (text: string) => void notes.push(text) };
    expect(memoryBound('1.5GiB', { listener })).toBe(1.5 * GIB);
    expect(notes).toEqual([]);
    const bound = memoryBound(memoryOption('').default, { listener });
    expect(bound).toBeGreaterThan(1e8);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^memory: \d+\.\d GB, half of what is available \(--memory\)\.$/);
  });
});
