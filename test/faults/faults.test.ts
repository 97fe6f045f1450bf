import { appendFileSync, existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random } from '../../src/core/random.ts';
import { temporaryFolders } from '../support/folders.ts';
import { everyCall, type Tried } from './every-call.ts';
import { makeScenarios, SCENARIOS, type Scenario } from './scenarios.ts';
import { buildShim } from './shim.ts';
import { linesOf } from './state.ts';
import { isOwnWay, WAYS } from './ways.ts';

/**
 * FAULTS=whole: every call in every way; FAULTS=n: n a scenario, drawn by a seed. FAULTS_ONLY: one scenario.
 * FAULTS_SHARE=i/n: the i-th of n parts, by calls. FAULTS_LEDGER: a file that gets a line a run; what stands there is not
 * run again. FAULTS_UNTIL: when no further run begins. bench/faults/run.mjs starts it so.
 */
const { FAULTS = '2', FAULTS_ONLY, FAULTS_SHARE = '1/1', FAULTS_LEDGER, FAULTS_UNTIL } = process.env;
const [part, parts] = FAULTS_SHARE.split('/').map(Number) as [number, number];
const ORDER_SEED = 1;
const shim = buildShim();
const folder = temporaryFolders();

const keyOf = ({ scenario, call, way }: Pick<Tried, 'scenario' | 'call' | 'way'>): string =>
  `${scenario} ${call.n} ${way}`;

/** What earlier runs have tried. */
const triedBefore = new Set(
  FAULTS_LEDGER === undefined || !existsSync(FAULTS_LEDGER)
    ? []
    : linesOf(FAULTS_LEDGER).map((line) => keyOf(JSON.parse(line) as Tried)),
);

describe.skipIf(shim === undefined)(
  `a call that fails, tears or kills (${shim === undefined ? 'needs Linux and gcc' : 'gcc is here'})`,
  () => {
    let scenarios: Scenario[];
    const counts = { runs: 0, findings: 0 };
    beforeAll(async () => {
      scenarios = await makeScenarios(folder());
    }, 600_000);
    afterAll(() => {
      shim?.remove();
      console.log(`${counts.runs} disturbed runs, ${counts.findings} findings`);
    });

    it.each(SCENARIOS.filter((name) => FAULTS_ONLY === undefined || FAULTS_ONLY === name))(
      '%s: an error in words, nothing damaged or lost, and the same files after a second run',
      async (name) => {
        const scenario = scenarios.find((one) => one.name === name);
        const { calls, tried } = await everyCall(shim!, folder(), scenario!);
        const all = calls.flatMap((call) =>
          WAYS.filter((way) => isOwnWay(way, call)).map((way) => ({ call, way, scenario: name })),
        );
        // In an order of chance: what was tried when it is stopped is a fair sample.
        const order = random(ORDER_SEED).shuffle(all);
        const picked = order
          .slice(0, FAULTS === 'whole' ? all.length : Number(FAULTS))
          .filter((one) => one.call.n % parts === part - 1 && !triedBefore.has(keyOf(one)));
        const found: Tried[] = [];
        for (const { call, way } of picked) {
          if (FAULTS_UNTIL !== undefined && Date.now() > Date.parse(FAULTS_UNTIL)) break;
          const one = await tried(call, way);
          if (FAULTS_LEDGER !== undefined)
            appendFileSync(FAULTS_LEDGER, `${JSON.stringify({ ...one, of: all.length })}\n`);
          if (one.findings.length > 0) found.push(one);
          counts.runs++;
          counts.findings += one.findings.length;
        }
        expect(found).toEqual([]);
      },
      FAULTS === 'whole' ? 24 * 3_600_000 : 3_600_000,
    );
  },
);
