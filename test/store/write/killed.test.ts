import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import { DEFAULT_POOLINGS, type Pooling } from '../../../src/core/sample.ts';
import { decodeFloat16, encodeFloat16 } from '../../../src/store/format/float16.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { setRows } from '../../../src/store/read/shards.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { ENGINE, featuresOf, settingsWith, storedRow, WIDTHS } from '../../support/stored-rows.ts';
import { contentOf, filesOf, openMade, matricesOf, shardBytesFor } from '../../support/stores.ts';

const folder = temporaryFolders();
const SCRIPT = fileURLToPath(new URL('../../support/killed-writer.mjs', import.meta.url));
const DIST = pathToFileURL(fileURLToPath(new URL('../../../dist', import.meta.url))).href;
/** Schedules of kills that are tried: more of them by hand, PERMAFROST_KILLS=200. */
const RUNS = Number(process.env.PERMAFROST_KILLS ?? 3);

const ROWS = Array.from({ length: 17 }, (_, i) => storedRow(`${i}.jpg`, { split: i % 3 === 0 ? 'val' : 'train' }));
/** A first data set of two shards; then another one that shares three pictures with it and adds three shards. */
const DATASETS = [
  [0, 1, 2, 3, 4, 5, 6],
  [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
];
const given = featuresOf(ROWS);
/**
 * The second set of the same pass: one pooling alone, whose shards hold twice as many rows; its features are not those
 * of the first.
 */
const OTHER = { cut: 'block4_pool', pooling: 'max' } as const;
const OTHER_IS_LARGER = 1000;

/** The child's orders for a new store; with `keeps` it keeps the rows of open shards after each batch. */
function plan(keeps = true): { readonly store: string; readonly file: string } {
  const root = folder();
  const store = join(root, 'store');
  const valuesOf = (pooling: Pooling, more = 0): number[][] => {
    const { data, cols } = given.features.get(pooling)!;
    return ROWS.map((_, i) => [...data.subarray(i * cols, (i + 1) * cols)].map((value) => value + more));
  };
  const sets = [
    {
      settings: settingsWith(),
      features: Object.fromEntries(DEFAULT_POOLINGS.map((pooling) => [pooling, valuesOf(pooling)])),
    },
    { settings: settingsWith({ cut: OTHER.cut }), features: { max: valuesOf('max', OTHER_IS_LARGER) } },
  ];
  const file = join(root, 'plan.json');
  const orders = {
    store,
    sets,
    engine: ENGINE,
    widths: WIDTHS,
    shardBytes: shardBytesFor(4),
  };
  writeFileSync(file, JSON.stringify({ ...orders, rows: ROWS, datasets: DATASETS, batch: 3, keeps }));
  return { store, file };
}

/** Runs the child until it ends or is killed: before its `killAt`-th change, or after `afterMs`. Gives its changes. */
async function write(
  file: string,
  { killAt = 0, afterMs }: { killAt?: number; afterMs?: number } = {},
): Promise<string[] | 'killed'> {
  const child = spawn(process.execPath, [SCRIPT, JSON.stringify({ dist: DIST, plan: file, killAt })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const timer = afterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), afterMs);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(timer);
  expect({ stderr, code, signal }).toEqual({
    stderr: '',
    code: signal === null ? 0 : null,
    signal: signal && 'SIGKILL',
  });
  return signal === null ? (JSON.parse(stdout) as string[]) : 'killed';
}

/**
 * What must hold of a store at any moment: the manifest is readable, and all that it names is there, whole and right.
 */
async function checkBetween(store: string): Promise<void> {
  if (!existsSync(join(store, 'manifest.json'))) {
    await expect(readManifest(store)).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
    return;
  }
  const manifest = await readManifest(store);
  for (const set of manifest.sets) {
    const sealed: string[] = [];
    for await (const { path } of setRows(store, set)) sealed.push(path);
    expect(sealed).toEqual(ROWS.slice(0, sealed.length).map(({ path }) => path));
  }
  const content = await contentOf(store).catch((error: unknown) => {
    expect(error).toBeInstanceOf(PermafrostError);
    expect(error).toMatchObject({ code: 'STORE_EMPTY' });
    return undefined;
  });
  if (content === undefined) return;
  const expected = DATASETS.map((wanted) => wanted.map((i) => ROWS[i]!));
  expect(expected).toContainEqual(content.samples);
  for (const { path } of content.samples) {
    for (const pooling of DEFAULT_POOLINGS) {
      expect([pooling, path, content.features[pooling][path]]).toEqual([pooling, path, EXPECTED[pooling][path]]);
    }
  }
  for (const { X, samples } of (await matricesOf(openMade({ store, manifest }), [OTHER], ['train', 'val'])).values()) {
    for (const [i, { path }] of samples.entries()) {
      const expected = EXPECTED.max[path]!.map((value) => Math.fround(value + OTHER_IS_LARGER));
      expect([...X.data.subarray(i * X.cols, (i + 1) * X.cols)]).toEqual(expected);
    }
  }
}

/** What a reader must get for each picture: pooled features as they were given, maps as float16. */
const EXPECTED = Object.fromEntries(
  DEFAULT_POOLINGS.map((pooling) => {
    const { data, cols } = given.features.get(pooling)!;
    const rounded = data.slice();
    if (pooling === 'flatten') {
      const halves = new Uint16Array(data.length);
      encodeFloat16(data, halves);
      decodeFloat16(halves, rounded);
    }
    return [
      pooling,
      Object.fromEntries(ROWS.map(({ path }, i) => [path, [...rounded.subarray(i * cols, (i + 1) * cols)]])),
    ];
  }),
) as Record<Pooling, Record<string, number[]>>;

/** What a process writes that was never killed, nor kept what it had not sealed; and the changes of one that keeps. */
let whole: { readonly files: Record<string, string>; readonly changes: readonly string[] };

beforeAll(async () => {
  const { store, file } = plan(false);
  await write(file);
  const changes = await write(plan().file);
  if (changes === 'killed') throw new Error('nobody killed it');
  await checkBetween(store);
  const shards = (await readManifest(store)).sets.map((set) => set.shards.map(({ rows }) => rows));
  expect(shards).toEqual([
    [4, 3, 4, 4, 2],
    [7, 8, 2],
  ]);
  whole = { files: filesOf(store), changes };
});

describe('a process that writes a store, killed anywhere and started again', () => {
  it('leaves the store of a process that was never killed, to the byte; whole at every moment in between', async () => {
    const { changes } = whole;
    const killAt = fc.integer({ min: 1, max: changes.length });
    // The moments that matter most are always tried: a manifest half written or not yet renamed, a shard of which half
    // is there, a commit whose former samples are not yet removed.
    const moments = [
      changes.lastIndexOf('half manifest.json'),
      changes.indexOf('rename manifest.json', changes.length >> 1),
      changes.findLastIndex((change) => /^rename .*-avg\.arrow$/.test(change)),
      changes.findLastIndex((change) => /^rm samples-/.test(change)),
      // Rows that are kept of an open shard: half written, there, and about to go as their shard is sealed.
      changes.findIndex((change) => /^half .*\.unsealed$/.test(change)),
      changes.findLastIndex((change) => /^rename .*\.unsealed$/.test(change)) + 1,
      changes.findIndex((change) => /^rm .*\.unsealed$/.test(change)),
    ];
    expect(Math.min(...moments)).toBeGreaterThan(0);
    await fc.assert(
      fc.asyncProperty(fc.array(killAt, { minLength: 1, maxLength: 2 }), async (kills) => {
        const { store, file } = plan();
        // A process that goes on has less to do than the first: a late kill may find it done.
        for (const at of kills) {
          await write(file, { killAt: at });
          await checkBetween(store);
        }
        expect(await write(file)).toContain('rename manifest.json');
        expect(filesOf(store)).toEqual(whole.files);
      }),
      { numRuns: RUNS + moments.length, examples: moments.map((moment) => [[moment + 1]]) },
    );
  });

  it('does so too where it is killed from outside, by the clock', async () => {
    const { store, file } = plan();
    const started = performance.now();
    await write(plan().file);
    const duration = performance.now() - started;
    for (const part of [0.7, 0.9]) {
      await write(file, { afterMs: duration * part });
      await checkBetween(store);
    }
    expect(await write(file)).toContain('rename manifest.json');
    expect(filesOf(store)).toEqual(whole.files);
  });
});
