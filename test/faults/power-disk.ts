import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A disk whose power can be cut: an ext4 file system in a file. */
export interface PowerDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** Makes all that was written durable. */
  sync(): void;
  /** Cuts the power: what was not written is lost, and nothing more can be. */
  cut(): void;
  /** Mounts it again after a cut, when the processes are gone that had files open. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}

const MEGABYTES = 512;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Makes a disk, or says why there can be none: another system than Linux, no root, no loop device, no compiler. */
export function powerDisk(): PowerDisk | { readonly whyNot: string } {
  if (process.platform !== 'linux') return { whyNot: 'needs Linux' };
  if (process.getuid?.() !== 0) return { whyNot: 'needs root, to mount' };
  const folder = mkdtempSync(join(tmpdir(), 'permafrost-power-'));
  const [image, path, cutter] = ['disk', 'mounted', 'cut-power'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const mount = (): void => run('mount', '-o', 'loop,data=ordered', image, path);
  async function unmount(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        run('umount', path);
        return;
      } catch (error) {
        if (tries === 100) throw error; // a process has files open
        await sleep(100);
      }
    }
  }
  try {
    mkdirSync(path);
    run('gcc', '-o', cutter, fileURLToPath(new URL('./cut-power.c', import.meta.url)));
    run('truncate', '-s', `${MEGABYTES}M`, image);
    run('mkfs.ext4', '-q', '-F', image);
    mount();
  } catch (error) {
    rmSync(folder, { recursive: true });
    return { whyNot: `needs gcc, mkfs.ext4 and loop devices: ${(error as Error).message.trim().split('\n').at(-1)}` };
  }
  return {
    path,
    sync: () => run('sync', '-f', path),
    cut: () => run(cutter, path),
    async restart() {
      for (let tries = 0; ; tries++) {
        await unmount();
        mount();
        try {
          writeFileSync(join(path, 'is-on'), '');
          rmSync(join(path, 'is-on'));
          return;
        } catch (error) {
          // Another process has a namespace of mounts with the disk in it: until it ends the disk stays off.
          if (tries === 600) throw error;
          await sleep(100);
        }
      }
    },
    async remove() {
      await unmount();
      rmSync(folder, { recursive: true });
    },
  };
}
