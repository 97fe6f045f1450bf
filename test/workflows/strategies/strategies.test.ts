import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { RunResult } from '../../../src/results/head-result.ts';
import { present } from '../../../src/results/report-data.ts';
import { openStore } from '../../../src/store/open.ts';
import { currentSets } from '../../../src/store/read/stored-parts.ts';
import { pastRun } from '../../../src/workflows/run/past-run.ts';
import { run } from '../../../src/workflows/run/run.ts';
import { strategiesOf, STRATEGIES_CUT } from '../../../src/workflows/strategies/strategies.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { rejection } from '../../support/errors.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
/** A few seconds: as much of the trainings as they have room for. */
const MINUTES = 0.2;
const notes: string[] = [];
let result: RunResult;

beforeAll(async () => {
  const root = await stripedDataset(join(folder(), 'stripes'), 5, 3);
  const options = {
    store: join(folder(), 'store'),
    engine: 'onnxruntime' as const,
    strategies: true,
    strategiesMinutes: MINUTES,
  };
  result = await run(root, options, { listener: { note: (text) => notes.push(text) } });
}, 240_000);

describe('run --strategies', () => {
  it('tries all four on one data set, or says what had no room', () => {
    const { trials, skipped, trained, validated, validatedOn } = result.strategies!;
    expect({ trained, validated, validatedOn }).toEqual({ trained: 10, validated: 6, validatedOn: 'val' });
    expect([...new Set([...trials, ...skipped].map(({ strategy }) => strategy))].sort()).toEqual([
      'freeze-early',
      'head-only',
      'layers-as-features',
      'retrain-all',
    ]);
    expect(skipped.every(({ strategy, reason }) => /^(freeze|retrain)/.test(strategy) && /epoch/.test(reason))).toBe(
      true,
    );
    expect(trials.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'frozen head',
        "the report's head: Flatten, Dense softmax",
        'head on block4_pool',
        'head on block3_pool',
        'head on block5_pool + block4_pool + block3_pool',
      ]),
    );
    const [frozen, ...others] = trials;
    expect(frozen).toMatchObject({ name: 'frozen head', comparison: null });
    for (const { comparison, accuracy, seconds, peakBytes } of others) {
      expect(comparison!.difference).toBeCloseTo(accuracy - frozen!.accuracy, 10);
      expect(comparison!.adjusted).toBeGreaterThanOrEqual(comparison!.pValue);
      expect(seconds).toBeGreaterThan(0);
      expect(peakBytes).toBeGreaterThan(50e6);
    }
  });

  it('extracts what they read in one pass, and says so', async () => {
    expect(notes).toContainEqual(expect.stringContaining(`--cut is ${STRATEGIES_CUT}`));
    const sets = currentSets(await openStore(result.store));
    expect(sets.map(({ set, poolings }) => `${set.settings.cut}:${poolings.join('+')}`)).toEqual([
      'block5_pool:flatten+avg+max',
      'block4_pool:flatten+avg+max',
      'block3_pool:avg',
    ]);
  });

  it("watches the report's head by the epoch, on the held-out part and on Val", () => {
    const report = result.strategies!.trials.find(({ name }) => name.startsWith("the report's"))!;
    const [curve] = report.curves;
    expect(curve!.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5]);
    expect(curve!.epochs.every(({ heldOut, val }) => heldOut !== null && val !== null)).toBe(true);
    // The last epoch is the head itself.
    expect(curve!.epochs[4]!.val!.accuracy).toBe(report.accuracy);
    expect(curve!.epochs[4]!.val!.logLoss).toBeCloseTo(report.logLoss, 10);
  });

  it('keeps all of it in results.json, which the next report reads', async () => {
    const text = readFileSync(join(result.store, 'results.json'), 'utf8');
    const kept = await pastRun(result.store);
    expect(present(kept) && kept.strategies).toEqual((JSON.parse(text) as RunResult).strategies);
    expect(present(kept) && kept.strategies).toEqual(result.strategies);
  });

  it('leaves out what is not there, with the reason', async () => {
    const { trials, skipped } = await strategiesOf(result.store, { minutes: 1e-4, memory: 'half', weights: '' });
    expect(trials.every(({ strategy }) => strategy === 'head-only' || strategy === 'layers-as-features')).toBe(true);
    expect(skipped.map(({ strategy }) => strategy)).toEqual(['freeze-early', 'retrain-all']);
    for (const { reason } of skipped) expect(reason).toMatch(/takes about \d+ s here .* allows \d+ s/);
  }, 120_000);

  it('refuses minutes that are none', async () => {
    await rejection(run(folder(), { strategies: true, strategiesMinutes: 0 }), 'OPTION_INVALID');
  });
});
