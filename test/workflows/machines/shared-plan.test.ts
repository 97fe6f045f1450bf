import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openS3, type S3Access } from '../../../src/extract/source/s3/s3-access.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { merge } from '../../../src/workflows/machines/merge.ts';
import { extractPart } from '../../../src/workflows/machines/part.ts';
import { parts } from '../../../src/workflows/machines/parts.ts';
import { plan } from '../../../src/workflows/machines/plan.ts';
import { openPlan } from '../../../src/workflows/machines/s3/shared-plan.ts';
import { document, permafrost } from '../../support/command.ts';
import { s3Here, startS3, type S3Server } from '../../servers/s3.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { promisedFiles, SIX_A_UNIT } from '../../support/machines.ts';
import { noiseDataset, twoClasses } from '../../support/noise-dataset.ts';
import { s3Environment, startStorage } from '../../support/s3-storage.ts';

const KILL_AT_PUT = fileURLToPath(new URL('../../support/kill-at-put.mjs', import.meta.url));

const folder = temporaryFolders();
const environment = (env: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
};
afterEach(() => vi.unstubAllEnvs());

describe.skipIf(s3Here.isSkipped)(s3Here.needs('a plan in S3'), () => {
  let server: S3Server;
  let s3: S3Access;

  let alone: string;

  beforeAll(async () => {
    server = await startS3('images', 'parts');
    environment(server.env);
    s3 = await openS3();
    const local = await noiseDataset(join(folder(), 'data'), { ...twoClasses(10), 'b/broken.png': 'no picture' });
    for (const name of readdirSync(local, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.png'))
        await s3.write({ bucket: 'images', key: `data/${name}` }, readFileSync(join(local, name)));
    alone = join(folder(), 'alone');
    await extract('s3://images/data', { ...SIX_A_UNIT, store: alone });
  });
  beforeEach(() => environment(server.env));
  afterAll(async () => {
    s3.close();
    await server.stop();
  });

  async function keys(prefix: string): Promise<string[]> {
    const all: string[] = [];
    for await (const page of s3.list({ bucket: 'parts', key: prefix })) all.push(...page.map(({ key }) => key));
    return all;
  }

  it('is worked on by machines that share no folder, two at once on the same units; merged it is one run', async () => {
    const shared = join(folder(), 'shared');
    const planned = await plan('s3://images/data', { ...SIX_A_UNIT, store: shared, parts: 2, at: 's3://parts/runs/' });
    expect(planned).toMatchObject({ units: 4, shared: `s3://parts/runs/${planned.run}` });
    const { message } = await rejection(merge(shared), 'UNITS_MISSING');
    expect(message).toContain('0-3');

    const both = await Promise.all([0, 1].map(() => extractPart(planned.shared!, { part: '1/2' })));
    expect(both.reduce((sum, { made }) => sum + made, 0)).toBe(2);
    expect(both.reduce((sum, { made, there, lostRaces }) => sum + made + there + lostRaces, 0)).toBe(4);
    expect(await parts(shared)).toMatchObject({
      units: 4,
      finished: 2,
      missing: '1,3',
      missingParts: '1',
      failures: 0,
    });
    expect(await extractPart(planned.shared!, { part: '2/2' })).toMatchObject({ made: 2, failures: 1 });
    expect(readdirSync(join(shared, 'parts', planned.run)).filter((name) => name.startsWith('u-'))).toEqual([]);
    // What lost a race left nothing behind: four units, each in one folder, and four seals.
    const found = (await keys(`runs/${planned.run}/u-`)).map((key) => key.split('/'));
    expect(found.filter(({ length }) => length === 3).map((key) => key[2])).toEqual(
      [0, 1, 2, 3].map((unit) => `u-0000${unit}.json`),
    );
    expect(new Set(found.filter(({ length }) => length > 3).map((key) => key[3])).size).toBe(4);

    expect(await merge(shared)).toMatchObject({ added: 20, missingUnits: 0 });
    expect(promisedFiles(shared)).toEqual(promisedFiles(alone));
    expect(await verify(shared)).toMatchObject({ ok: true, orphans: [] });
    expect(existsSync(join(shared, 'parts'))).toBe(false);
  });

  it('of which a worker is killed while it publishes has no unit of it, and another one finishes all', async () => {
    const store = join(folder(), 'store');
    const { shared, run } = await plan('s3://images/data', { ...SIX_A_UNIT, store, at: 's3://parts/killed' });
    const work = (killAt?: string) =>
      permafrost(['extract', '--plan', shared!, '--part', '1/1', '--json'], {
        env: { ...server.env, ...(killAt !== undefined && { KILL_AT: killAt }) },
        ...(killAt !== undefined && { node: ['--import', KILL_AT_PUT] }),
      });
    const left: number[] = [];
    for (const killAt of ['1', '3', 'seal']) {
      expect((await work(killAt)).code).toBe(null);
      left.push((await keys(`killed/${run}/u-`)).length);
      const { finished, missing, underWay } = await parts(store);
      expect({ finished, missing }).toEqual({ finished: 0, missing: '1-3' });
      // Its last sign of life: it is taken to be at work for a minute.
      expect(underWay.at(-1)).toMatchObject({ unit: 0 });
    }
    const [none, two, all] = left as [number, number, number];
    expect([none, two]).toEqual([0, 2]);
    expect(all).toBeGreaterThan(2 + 5);
    await rejection(merge(store), 'UNITS_MISSING');
    expect((await work('sealed')).code).toBe(null);
    expect(await parts(store)).toMatchObject({ finished: 1, missing: '1-3', underWay: [] });
    const last = await work();
    expect(last.code).toBe(3);
    expect(document(last)).toMatchObject({ made: 3, there: 1, lostRaces: 0 });
    await merge(store);
    expect(promisedFiles(store)).toEqual(promisedFiles(alone));
  }, 300_000);

  it('shows the units that are under way, with how far they are', async () => {
    const store = join(folder(), 'store');
    const { shared } = await plan('s3://images/data', { ...SIX_A_UNIT, store, at: 's3://parts/seen' });
    const opened = await openPlan(shared!);
    const draft = await opened.begin(2, () => Promise.resolve());
    await expect
      .poll(() => parts(store))
      .toMatchObject({
        underWay: [{ unit: 2, done: 0, of: 0 }],
        dead: [],
        missing: '0-1,3',
      });
    expect((await parts(store)).underWay[0]!.silentSeconds).toBeLessThan(30);
    await draft.drop();
    expect(await parts(store)).toMatchObject({ underWay: [], dead: [], missing: '0-3' });
    await opened.close();
  });

  it('is not found where it is not, and a unit that was changed is not merged', async () => {
    const store = join(folder(), 'store');
    const { shared, run } = await plan('s3://images/data', { ...SIX_A_UNIT, store, at: 's3://parts/other' });
    await rejection(extractPart('s3://parts/other/none', { part: '1/1' }), 'PLAN_NOT_FOUND');
    await extractPart(shared!, { part: '1/1' });
    const [changed] = (await keys(`other/${run}/u-00002/`)).filter((key) => key.endsWith('.arrow'));
    await s3.write({ bucket: 'parts', key: changed! }, Buffer.from('other bytes'));
    const { message } = await rejection(merge(store), 'STORE_CORRUPT');
    expect(message).toContain(changed!);
    expect(existsSync(join(store, 'manifest.json'))).toBe(false);
  });
});

it('a storage that writes over what is there is refused when it is planned for', async () => {
  environment(s3Environment(await startStorage(new Map(), { isConditional: false })));
  const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(4));
  const store = join(folder(), 'store');
  await rejection(plan(dataset, { ...SIX_A_UNIT, store, at: 's3://parts/runs' }), 'STORE_WRITE');
});
