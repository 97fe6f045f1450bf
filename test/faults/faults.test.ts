import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolders } from '../support/folders.ts';
import { everyCall, WAYS, type Finding } from './every-call.ts';
import { makeScenarios, type Scenario } from './scenarios.ts';
import { buildShim } from './shim.ts';

/** FAULTS=whole: every call in every way, which takes hours; FAULTS=n: n a scenario. Default: a few. */
const { FAULTS = '2', FAULTS_ONLY } = process.env;
const shim = buildShim();
const folder = temporaryFolders();

const NAMES = [
  'extract',
  'extract, rows kept',
  'extract more',
  'run',
  'gc',
  'gc --other-sets',
  'repair',
  'migrate',
  'train',
  'sweep',
  'hnsw',
  'report',
];

describe.skipIf(shim === undefined)(
  `a call that fails, tears or kills (${shim === undefined ? 'needs Linux and gcc' : 'gcc is here'})`,
  () => {
    let scenarios: Scenario[];
    const counts = { runs: 0, findings: 0 };
    beforeAll(async () => {
      scenarios = await makeScenarios(folder());
    });
    afterAll(() => {
      shim?.remove();
      console.log(`${counts.runs} disturbed runs, ${counts.findings} findings`);
    });

    it('is tried in every scenario', () => expect(scenarios.map(({ name }) => name)).toEqual(NAMES));

    it.each(NAMES.filter((name) => FAULTS_ONLY === undefined || FAULTS_ONLY === name))(
      '%s: an error in words, nothing damaged, and the same store after a second run',
      async (name) => {
        const { calls, findings } = await everyCall(
          shim!,
          folder(),
          scenarios.find((one) => one.name === name)!,
        );
        const all = calls.flatMap((call) => WAYS.map((way) => ({ call, way })));
        const count = FAULTS === 'whole' ? all.length : Math.min(Number(FAULTS), all.length);
        // Spread over the run; the step is no multiple of the number of ways.
        const picked = Array.from({ length: count }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / count)]!);
        const found: Finding[] = [];
        for (const { call, way } of picked) found.push(...(await findings(call, way)));
        counts.runs += picked.length;
        counts.findings += found.length;
        expect(found).toEqual([]);
      },
      FAULTS === 'whole' ? 10 * 3_600_000 : 600_000,
    );
  },
);
