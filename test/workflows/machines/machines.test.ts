import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors, type SafeTensor } from '../../../src/core/safetensors.ts';
import type { PlanResult } from '../../../src/results/machines-result.ts';
import { writeFileAtomic } from '../../../src/store/format/atomic-file.ts';
import { openStore } from '../../../src/store/open.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { merge } from '../../../src/workflows/machines/merge.ts';
import { extractPart } from '../../../src/workflows/machines/part.ts';
import { parts } from '../../../src/workflows/machines/parts.ts';
import { plan } from '../../../src/workflows/machines/plan.ts';
import { readPlan, writePlan, type Plan } from '../../../src/workflows/machines/plan-file.ts';
import { openUnitWorker } from '../../../src/workflows/machines/unit-worker.ts';
import { document, permafrost } from '../../support/command.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { filesOf } from '../../support/stores.ts';

const folder = temporaryFolders();
const CHEAP_ALONE = { cut: 'block1_pool:avg', engine: 'onnxruntime', precision: 'fp32' } as const;
const CHEAP = { ...CHEAP_ALONE, unit: 4 } as const;

let dataset: string;
beforeAll(async () => {
  dataset = await noiseDataset(join(folder(), 'data'), { ...twoClasses(7), 'b/broken.png': 'no picture' });
});

/** A plan of the data set, 15 images in units of four, in a store of its own. */
const planned = (options: object = {}): Promise<PlanResult> =>
  plan(dataset, { ...CHEAP, parts: 4, ...options, store: join(folder(), 'store') });

/** Puts another plan in the place of one. */
async function replan(path: string, change: (plan: Plan) => Plan): Promise<void> {
  const { plan: before } = await readPlan(path);
  await writePlan({ path, plan: change(before) });
}

describe('plan', () => {
  it('gives the same bytes again, keeps finished units, and takes another number of parts', async () => {
    const first = await planned();
    expect(first).toMatchObject({ images: 15, units: 4, unitSize: 4, parts: 4, finished: 0 });
    const before = filesOf(first.plan);
    await extractPart(first.plan, { part: '2/4' });
    const again = await plan(dataset, { ...CHEAP, parts: 4, store: first.store });
    expect(again).toMatchObject({ run: first.run, finished: 1 });
    expect(filesOf(first.plan)).toMatchObject(before);
    const other = await plan(dataset, { ...CHEAP, parts: 2, store: first.store });
    expect(other).toMatchObject({ run: first.run, parts: 2, finished: 1 });
    expect(filesOf((await planned()).plan)).toEqual(before);
  });

  it('is another run for another option or listing', async () => {
    const runs = [(await planned()).run, (await planned({ seed: 2 })).run, (await planned({ unit: 5 })).run];
    expect(new Set(runs).size).toBe(3);
  });

  it('refuses a folder that is no store, before it writes', async () => {
    const store = join(folder(), 'store');
    mkdirSync(store);
    writeFileSync(join(store, 'mine.txt'), 'mine');
    await rejection(plan(dataset, { ...CHEAP, store }), 'STORE_WRITE');
    expect(readdirSync(store)).toEqual(['mine.txt']);
  });
});

describe('a machine that differs from the plan refuses before any work', () => {
  const refusals: readonly (readonly [name: string, change: (plan: Plan) => Plan, words: RegExp])[] = [
    [
      'the version of the engine',
      (p) => ({ ...p, engine: { ...p.engine, version: '0.1' } }),
      /engine\.version: ".*", not "0\.1"/,
    ],
    [
      'the weights',
      (p) => ({
        ...p,
        sets: p.sets.map((set) => ({ ...set, settings: { ...set.settings, weights: 'a'.repeat(64) } })),
      }),
      /block1_pool\.weights: "[0-9a-f]{64}", not "a{64}"/,
    ],
    ['the decoder', (p) => ({ ...p, decoder: 99 }), /decoder: \d+, not 99/],
    ['the version of the store', (p) => ({ ...p, store: 99 }), /store: 2, not 99/],
  ];
  it.each(refusals)('%s', async (_name, change, words) => {
    const { plan: path } = await planned();
    await replan(path, change);
    const { message } = await rejection(extractPart(path, { part: '1/1' }), 'FINGERPRINT_MISMATCH');
    expect(message).toMatch(words);
    expect(readdirSync(path).filter((name) => /^\.?u-/.test(name))).toEqual([]);
  });

  it.each([
    ['other numbers', (x: number, i: number) => (i % 7 === 0 ? x * 1.2 : x)],
    ['another scale alone', (x: number) => x * 1.01],
    ['what is no number', (x: number, i: number) => (i === 3 ? NaN : x)],
  ])('the features of the probe: %s', async (_name, change) => {
    const { plan: path } = await planned();
    const { plan: before } = await readPlan(path);
    const name = before.probe.file.name;
    const file = filesOf(path)[name]!;
    const { tensors } = readSafetensors(Buffer.from(file, 'latin1'), { name, code: 'STORE_CORRUPT' });
    const changed = new Map<string, SafeTensor>(
      [...tensors].map(([key, tensor]) => [
        key,
        tensor.dtype === 'F32' ? { ...tensor, data: tensor.data.map((x, i) => change(x, i)) } : tensor,
      ]),
    );
    const facts = await writeFileAtomic(join(path, name), [writeSafetensors(changed)]);
    await replan(path, (p) => ({ ...p, probe: { ...p.probe, file: { name, ...facts } } }));
    const { message } = await rejection(extractPart(path, { part: '1/1' }), 'FINGERPRINT_MISMATCH');
    expect(message).toMatch(/of the probe image, block1_pool\/avg has a cosine of (0\.\d+|NaN) .* expected 0\.99999/);
  });

  it('and where the images are not, until it is told where they lie', async () => {
    const moved = await noiseDataset(join(folder(), 'moved'), twoClasses(5));
    const { plan: path } = await plan(moved, { ...CHEAP, store: join(folder(), 'store') });
    const elsewhere = join(folder(), 'elsewhere');
    renameSync(moved, elsewhere);
    expect((await rejection(extractPart(path, { part: '1/1' }), 'DATASET_NOT_FOUND')).message).toMatch(/--root/);
    expect(await extractPart(path, { part: '1/1', root: elsewhere })).toMatchObject({ made: 3, failures: 0 });
  });

  it('and where a list of the plan was changed, by its digest', async () => {
    const { plan: path } = await planned();
    writeFileSync(join(path, 'list-00000.jsonl'), '["a/p0.png","b","train"]\n');
    await rejection(extractPart(path, { part: '1/1' }), 'STORE_CORRUPT');
    await plan(dataset, { ...CHEAP, parts: 4, store: join(path, '..', '..') });
    expect(await extractPart(path, { part: '1/4' })).toMatchObject({ made: 1 });
  });
});

describe('units', () => {
  it('are skipped where they are there, and made once where two workers race', async () => {
    const { plan: path } = await planned();
    const workers = [await openUnitWorker(path, {}, {}), await openUnitWorker(path, {}, {})];
    const outcomes = await Promise.all(workers.map((worker) => worker.extract(0)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['lost-race', 'made']);
    expect(await workers[0]!.extract(0)).toMatchObject({ outcome: 'there' });
    expect(await workers[0]!.missing()).toContain(1);
    for (const worker of workers) await worker.close();
    expect(readdirSync(path).filter((name) => /^\.?u-/.test(name))).toEqual(['u-00000']);
  });

  it('leave nothing behind when they are interrupted, and can be tried in part', async () => {
    const { plan: path } = await planned();
    const worker = await openUnitWorker(path, {}, {});
    const controller = new AbortController();
    controller.abort();
    await rejection(worker.extract(0, { signal: controller.signal }), 'INTERRUPTED');
    expect(await worker.extract(0, { only: [1, 3] })).toMatchObject({ outcome: 'tried', failures: 0 });
    expect(readdirSync(path).filter((name) => /^\.?u-/.test(name))).toEqual([]);
    expect(await worker.extract(0, { crashed: [2] })).toMatchObject({ outcome: 'made', failures: 1 });
    await worker.close();
    await extractPart(path, { part: '1/1' });
    const { failed } = await merge(join(path, '..', '..'));
    expect(failed.map(({ path: image, code }) => [image, code])).toEqual([
      ['a/p2.png', 'IMAGE_CRASHED'],
      ['b/broken.png', 'IMAGE_UNDECODABLE'],
    ]);
  });
});

describe('parts and merge', () => {
  it('tell what is missing, as the array that is to run again', async () => {
    const { plan: path, store } = await planned();
    await extractPart(path, { part: '2/4' });
    expect(await parts(store)).toMatchObject({
      units: 4,
      finished: 1,
      missing: '0,2-3',
      missingParts: '0,2-3',
      dead: [],
    });
    const { message } = await rejection(merge(store), 'UNITS_MISSING');
    expect(message).toMatch(/^3 of 4 units are missing: 0,2-3\. .*--array=0,2-3.*--part 1\/4/);
    expect(existsSync(join(store, 'manifest.json'))).toBe(false);
  });

  it('merge what is there when they are told to, and the rest later', async () => {
    const { plan: path, store } = await planned();
    await extractPart(path, { part: '2/4' });
    const some = await merge(store, { allowMissing: true });
    expect(some).toMatchObject({ missingUnits: 3, missingImages: 11, added: 3, keptParts: true });
    expect((await (await openStore(store)).samples()).length).toBe(3);
    expect(some.warnings.join()).toMatch(/3 units with 11 images are missing/);
    await extractPart(path, { part: '1/1' });
    const all = await merge(store, { keepParts: true });
    expect(all).toMatchObject({ missingUnits: 0, added: 11, there: 3, keptParts: true });
    expect((await (await openStore(store)).samples()).length).toBe(14);
    expect(await gc(store, { dryRun: true })).toMatchObject({ droppedRows: 0 });
    expect(existsSync(path)).toBe(true);
    expect((await gc(store)).removedFiles).toBeGreaterThan(10);
    expect(existsSync(join(store, 'parts'))).toBe(false);
    await rejection(merge(store), 'PLAN_NOT_FOUND');
  });

  it('are not planned once more, unless an image is new or it is asked for', async () => {
    const { store, plan: path } = await planned();
    await extractPart(path, { part: '1/1' });
    await merge(store);
    const { message } = await rejection(plan(dataset, { ...CHEAP, store }), 'NOTHING_TO_PLAN');
    expect(message).toMatch(/has the features of all 15 images of .*"permafrost extract .* reads what changed/);
    expect(existsSync(join(store, 'parts'))).toBe(false);
    expect(await plan(dataset, { ...CHEAP, store, again: true })).toMatchObject({ images: 15, finished: 0 });
    expect(await plan(dataset, { ...CHEAP, store, cut: 'block1_pool:max' })).toMatchObject({ images: 15 });
    const grown = await noiseDataset(join(folder(), 'grown'), { ...twoClasses(8) });
    expect(await plan(grown, { ...CHEAP, store })).toMatchObject({ images: 16 });
  });

  it('that count on what the store had are not merged where it is gone; they are planned and extracted anew', async () => {
    const grown = await noiseDataset(join(folder(), 'data'), twoClasses(3));
    const store = join(folder(), 'store');
    await extract(grown, { ...CHEAP_ALONE, store });
    await noiseDataset(grown, twoClasses(2, '', 50));
    const first = await plan(grown, { ...CHEAP, parts: 1, store });
    expect(first).toMatchObject({ images: 10, known: 6, units: 3 });
    await extractPart(first.plan, { part: '1/1' });
    for (const name of readdirSync(store)) if (name !== 'parts') rmSync(join(store, name), { recursive: true });
    const { message } = await rejection(merge(store), 'STORE_CORRUPT');
    const [, lost] = /^(\S+u-0000\d) did not extract a\/p0\.png, as the store had it/.exec(message)!;
    rmSync(lost!, { recursive: true });
    const again = await plan(grown, { ...CHEAP, parts: 1, store });
    // Of the first unit the merge had taken what it had extracted: one image.
    expect(again).toMatchObject({ run: first.run, known: 1 });
    await extractPart(again.plan, { part: '1/1' });
    // The next unit has lost some too.
    const next = /^(\S+u-0000\d) did not/.exec((await rejection(merge(store), 'STORE_CORRUPT')).message)![1]!;
    expect(next).not.toBe(lost);
    rmSync(next, { recursive: true });
    await extractPart(again.plan, { part: '1/1' });
    expect(await merge(store)).toMatchObject({ images: 10, missingUnits: 0 });
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
    expect([...(await (await openStore(store)).samples())]).toHaveLength(10);
  });

  it('ask which run is meant where there are two, and leave the other one alone', async () => {
    const { run, store, plan: path } = await planned();
    const other = await plan(dataset, { ...CHEAP, seed: 2, store });
    expect((await rejection(merge(store), 'OPTION_INVALID')).message).toMatch(/has 2 plans/);
    await extractPart(path, { part: '1/1' });
    await merge(store, { run });
    expect(readdirSync(join(store, 'parts'))).toEqual([other.run]);
    // A store with a plan is a store as any other.
    const { cut, engine, precision } = CHEAP;
    expect(await extract(dataset, { cut, engine, precision, store })).toMatchObject({ extracted: 0, reused: 14 });
    expect(existsSync(other.plan)).toBe(true);
  });

  it('refuse a unit that is not what its worker wrote, or that another engine made', async () => {
    const { plan: path, store } = await planned();
    await extractPart(path, { part: '1/1' });
    await replan(path, (p) => ({ ...p, engine: { ...p.engine, version: '0.1' } }));
    expect((await rejection(merge(store), 'FINGERPRINT_MISMATCH')).message).toMatch(/u-00000 .*engine\.version/);
    rmSync(join(path, 'u-00002/unit.json'));
    await replan(path, (p) => ({ ...p, engine: { ...p.engine, version: '0.1' } }));
    rmSync(join(path, 'u-00000'), { recursive: true });
    await rejection(merge(store, { allowMissing: true }), 'FINGERPRINT_MISMATCH');
  });

  it('count failures over all units against --max-failures', async () => {
    const { plan: path, store } = await planned({ maxFailures: 0 });
    expect(await extractPart(path, { part: '1/1' })).toMatchObject({ failures: 1 });
    await rejection(merge(store), 'TOO_MANY_FAILURES');
  });
});

describe('the commands', () => {
  it('plan, extract --plan, parts and merge from the command line, and say what goes with what', async () => {
    const store = join(folder(), 'store');
    const flags = ['--cut', 'block1_pool:avg', '--engine', 'onnxruntime', '--precision', 'fp32', '--unit', '8'];
    const first = await permafrost(['plan', dataset, '--store', store, '--parts', '2', ...flags, '--json', '--quiet']);
    const { plan: path } = document<PlanResult>(first);
    const part = (more: readonly string[], env: Record<string, string> = {}) =>
      permafrost(['extract', '--plan', path, ...more, '--json', '--quiet'], { env });
    expect((await part(['--part', 'auto'], { SLURM_ARRAY_TASK_ID: '0', SLURM_ARRAY_TASK_COUNT: '1' })).code).toBe(3);
    const missing = await permafrost(['merge', store, '--json', '--quiet']);
    expect(missing.code).toBe(1);
    expect(document(missing)).toMatchObject({ error: { code: 'UNITS_MISSING' } });
    expect((await part(['--part', '2/2'])).code).toBe(0);
    expect((await permafrost(['parts', store])).stdout).toMatch(
      /2 of 2 finished.*\n[^]*All are finished: permafrost merge/,
    );
    const merged = await permafrost(['merge', store, '--quiet']);
    expect({ code: merged.code, text: merged.stdout }).toMatchObject({ code: 3 });
    expect(merged.stdout).toMatch(/2 of 2 merged, by 1 kind of processor/);
    for (const wrong of [
      ['extract', dataset, '--plan', path, '--part', '1/2'],
      ['extract', '--plan', path],
      ['extract', '--plan', path, '--part', '1/2', '--cut', 'block2_pool'],
      ['extract', dataset, '--part', '1/2'],
      ['extract'],
    ])
      expect((await permafrost([...wrong, '--quiet'])).code).toBe(2);
  }, 300_000);
});
