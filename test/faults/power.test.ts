import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { powerCuts } from './power-cuts.ts';
import { powerDisk, type PowerDisk } from './power-disk.ts';
import { makeScenarios, newStores, type Scenario } from './scenarios.ts';
import { buildShim } from './shim.ts';
import { studioCut } from './studio-cuts.ts';

/** POWER_CUTS=n: n a command, of all commands and the studio, or of POWER_ONLY. Default: a few, of new stores. */
const { POWER_CUTS, POWER_ONLY } = process.env;
const cuts = Number(POWER_CUTS ?? 2);
const shim = buildShim();
const made = shim === undefined ? { whyNot: 'needs gcc' } : powerDisk();
const whyNot = 'whyNot' in made ? made.whyNot : undefined;
const folder = temporaryFolders();

const NEW = ['extract', 'extract, rows kept'];
const ALL = [...NEW, 'extract more', 'run', 'gc', 'gc --other-sets', 'repair', 'migrate', 'train', 'sweep', 'hnsw'];
const names = POWER_CUTS === undefined ? NEW : ALL.filter((name) => POWER_ONLY === undefined || name === POWER_ONLY);

describe.skipIf(whyNot !== undefined)(
  whyNot === undefined ? 'a power cut on ext4' : `a power cut on ext4 [skipped: ${whyNot}]`,
  () => {
    const disk = made as PowerDisk;
    let scenarios: Scenario[];
    const counts = { cuts: 0, findings: 0 };
    beforeAll(async () => {
      scenarios = await (POWER_CUTS === undefined ? newStores : makeScenarios)(folder());
    });
    afterAll(async () => {
      shim?.remove();
      await disk.remove();
      console.log(`${counts.cuts} power cuts, ${counts.findings} findings`);
    });

    it.each(names)(
      '%s: nothing damaged, nothing lost that was done, and the same store after a second run',
      async (name) => {
        const scenario = scenarios.find((one) => one.name === name)!;
        const { calls, findings } = await powerCuts(shim!, disk, scenario);
        // Spread over the run, and one just after its end.
        const at = Array.from(
          { length: cuts - 1 },
          (_, i) => calls[Math.floor(((i + 0.5) * calls.length) / (cuts - 1))],
        );
        const found: string[] = [];
        for (const call of [...at, undefined]) found.push(...(await findings(call)));
        counts.cuts += cuts;
        counts.findings += found.length;
        expect(found).toEqual([]);
      },
      cuts * 60_000,
    );

    it.skipIf(POWER_CUTS === undefined || (POWER_ONLY !== undefined && POWER_ONLY !== 'studio'))(
      'studio: no change that was acknowledged is lost (by POWER_CUTS alone)',
      async () => {
        const store = join(disk.path, 'studio');
        const [{ args }] = scenarios as [Scenario];
        const dataset = args(store)[1]!;
        const base = join(folder(), 'store');
        const flags = ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg', '--quiet'];
        expect((await permafrost(['extract', dataset, '--store', base, ...flags])).code).toBe(0);
        cpSync(base, store, { recursive: true });
        disk.sync();
        const image = readFileSync(join(dataset, 'Train', 'down', '0.png'));
        const found: string[] = [];
        let acknowledged = 0;
        for (let n = 0; n < cuts; n++) {
          const cut = await studioCut(disk, store, image, 1 + ((n * 7) % 20));
          acknowledged += cut.acknowledged;
          found.push(...cut.problems);
        }
        counts.cuts += cuts;
        counts.findings += found.length;
        console.log(`${acknowledged} acknowledged changes in the studio`);
        expect(found).toEqual([]);
      },
      cuts * 60_000,
    );
  },
);
