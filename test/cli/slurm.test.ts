import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slurmHere, startSlurm, type SlurmCluster } from '../servers/slurm.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();
const RECIPE = fileURLToPath(new URL('../../docs/recipes/slurm.sh', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
// Six rows of the first block fill a shard of 10 MiB; float32 needs no rounding to be compared.
const SETTINGS = ['--cut', 'block1_pool', '--shard-megabytes', '10', '--engine', 'onnxruntime', '--precision', 'fp32'];

/** Where the command `permafrost` is the built program. */
function programFolder(): string {
  const bin = join(folder(), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'permafrost'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 });
  return bin;
}

describe.skipIf(slurmHere.isSkipped)(slurmHere.needs('the recipe for Slurm'), () => {
  let slurm: SlurmCluster;
  beforeAll(async () => {
    slurm = await startSlurm(2);
  });
  afterAll(() => slurm.stop());

  it('makes the store of one run, to the byte, through a task that was killed and run again alone', async () => {
    const dataset = await stripedDataset(join(folder(), 'Stripes'), 12, 6);
    const whole = join(folder(), 'whole.permafrost');
    expect(await permafrost(['extract', dataset, '--store', whole, ...SETTINGS])).toMatchObject({ code: 0 });

    const store = join(folder(), 'store.permafrost');
    const planned = await permafrost(['plan', dataset, '--store', store, '--parts', '4', ...SETTINGS, '--json']);
    expect(planned.code).toBe(0);
    const logs = folder();
    const env = {
      PLAN: document<{ plan: string }>(planned).plan,
      PATH: [programFolder(), process.env.PATH].join(delimiter),
    };
    const flags = ['--cpus-per-task=1', '--mem=100', `--chdir=${logs}`];

    const job = await slurm.submit(RECIPE, ['--array=0-3', ...flags], env);
    const killed: number[] = [];
    // What the kernel does to a process that takes too much memory.
    for (const deadline = performance.now() + 60_000; killed.length === 0; await sleep(5)) {
      expect(performance.now()).toBeLessThan(deadline);
      for (const pid of slurm.processesOf(job, 2, MAIN)) {
        process.kill(pid, 'SIGKILL');
        killed.push(pid);
      }
    }
    const states = await slurm.ended(job);
    expect(states).toEqual({ 0: 'COMPLETED', 1: 'COMPLETED', 2: 'FAILED', 3: 'COMPLETED' });

    const early = await permafrost(['merge', store]);
    expect(early.code).toBe(1);
    expect(early.stderr).toMatch(/\b2\b/);

    // Of a single task Slurm says that the array has one, and begins at 2.
    const again = await slurm.submit(RECIPE, ['--array=2', ...flags], env);
    expect(await slurm.ended(again)).toEqual({ 2: 'COMPLETED' });
    const merged = await permafrost(['merge', store]);
    expect({ ...merged, log: readFileSync(join(logs, `permafrost-${again}_2.log`), 'utf8') }).toMatchObject({ code: 0 });

    const { 'file-times.safetensors': ours, ...expected } = filesOf(whole);
    const { 'file-times.safetensors': merges, ...found } = filesOf(store);
    expect(typeof ours).toBe('string');
    expect(found).toEqual(expected);
    expect(await permafrost(['verify', store])).toMatchObject({ code: 0 });
    expect(merges ?? 'none').toBeTruthy();
  });
});
