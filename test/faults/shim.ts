import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A call that changes a file: its number from 1, what it does, and the path below the folder that is watched. */
export interface Call {
  readonly n: number;
  readonly name: string;
  readonly path: string;
}

export interface Shim {
  /** The environment of a process in which the n-th call fails as `how` says (faults.c). */
  at(folder: string, n: number, how: string): Record<string, string>;
  /** The environment of a process whose calls are written down; `calls` reads them afterwards. */
  watched(folder: string): { readonly env: Record<string, string>; calls(): Call[] };
  remove(): void;
}

/** Builds the shim; undefined where there is no C compiler, or another system than Linux. */
export function buildShim(): Shim | undefined {
  if (process.platform !== 'linux') return undefined;
  const built = mkdtempSync(join(tmpdir(), 'permafrost-faults-'));
  const library = join(built, 'faults.so');
  try {
    const source = fileURLToPath(new URL('./faults.c', import.meta.url));
    execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    rmSync(built, { recursive: true });
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  let logs = 0;
  return {
    at: (folder, n, how) => ({ LD_PRELOAD: library, FAULT_BELOW: `${folder}/`, FAULT_AT: String(n), FAULT_HOW: how }),
    watched(folder) {
      const log = join(built, `${logs++}.log`);
      return {
        env: { LD_PRELOAD: library, FAULT_BELOW: `${folder}/`, FAULT_LOG: log },
        calls: () =>
          existsSync(log)
            ? readFileSync(log, 'utf8')
                .split('\n')
                .slice(0, -1)
                .map((line) => {
                  const [n, name, ...path] = line.split(' ');
                  return { n: Number(n), name: name!, path: path.join(' ') };
                })
            : [],
      };
    },
    remove: () => rmSync(built, { recursive: true, force: true }),
  };
}
