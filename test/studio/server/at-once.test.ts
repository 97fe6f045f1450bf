import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MOST_UPLOAD_BYTES } from '../../../src/studio/api/api.ts';
import type { BrowsePage, HeadFacts, Saved, TeachState } from '../../../src/studio/api/studio-data.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { blackPng } from '../../support/black-png.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { CUT, raw } from '../../support/http.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { api, startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();
let dataset: string;
let store: string;
let studio: StudioProcess;

beforeAll(async () => {
  const root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 4, 2);
  store = join(root, 'store');
  await extract(dataset, { store, engine: 'onnxruntime', cut: 'block1_pool:avg' });
  studio = await startStudio(store, '--memory', '1GB');
});
afterAll(async () => {
  await studio?.stop();
});

const many = <T>(n: number, ask: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: n }, (_, i) => ask(i)));
const picture = (label: string, i: number): Buffer => readFileSync(join(dataset, 'Train', label, `${i}.png`));

/** Sends requests at once and gives their statuses, each with how often it came. */
async function statuses(asked: readonly Promise<unknown>[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const one of await Promise.allSettled(asked)) {
    const status = one.status === 'fulfilled' ? '200' : /^\d+/.exec((one.reason as Error).message)![0];
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

describe('the same thing saved several times at once', () => {
  it('is saved for all: labels, heads, a taught head, a taught data set', async () => {
    const labels = await many(12, () => api<Saved>(studio, 'POST', '/api/review/save'));
    expect(new Set(labels.map(({ path }) => path))).toEqual(new Set([join(store, 'studio', 'labels.csv')]));
    expect(readFileSync(labels[0]!.path, 'utf8').split('\n')).toHaveLength(14);

    const heads = await many(6, () =>
      api<HeadFacts>(studio, 'POST', '/api/heads', { head: 'centroid', pooling: 'avg' }),
    );
    expect(new Set(heads.map(({ id, problem }) => `${id} ${problem}`)).size).toBe(1);

    await api(studio, 'POST', '/api/teach/classes', { name: 'across' });
    const { classes } = await api<TeachState>(studio, 'POST', '/api/teach/classes', { name: 'down' });
    for (const { id, name } of classes)
      await many(3, (i) => api(studio, 'POST', `/api/teach/classes/${id}/images?name=${i}.png`, picture(name, i)));
    for (const as of ['head', 'dataset'])
      expect(
        await statuses(Array.from({ length: 5 }, () => api(studio, 'POST', '/api/teach/save', { as, name: 'mine' }))),
      ).toEqual({ 200: 5 });
    // Once it is there, it stays.
    expect(await statuses([api(studio, 'POST', '/api/teach/save', { as: 'dataset', name: 'mine' })])).toEqual({
      400: 1,
    });
    expect(readdirSync(join(store, 'taught', 'mine', 'Train'))).toEqual(['across', 'down']);
    expect(readdirSync(join(store, 'heads')).filter((name) => /\.tmp/.test(name))).toEqual([]);
    expect(await verify(store)).toMatchObject({ ok: true, orphans: [] });
  });

  it('different heads are trained one after the other, and all are there', async () => {
    const heads = ['ridge', 'knn', 'logistic', 'centroid'];
    const found = await many(heads.length, (i) =>
      api<HeadFacts>(studio, 'POST', '/api/heads', { head: heads[i], pooling: 'avg' }),
    );
    expect(found.map(({ name }) => name)).toEqual(heads);
  });

  it('what is forgotten while pictures come leaves journals that open again', async () => {
    const { classes } = await api<TeachState>(studio, 'GET', '/api/teach');
    const fresh = (i: number): Buffer => Buffer.concat([picture('down', i % 4), Buffer.from(`${i}`)]);
    const asked = Array.from({ length: 12 }, (_, i) =>
      i === 4 || i === 9
        ? api(studio, 'POST', '/api/teach/clear')
        : api(studio, 'POST', `/api/teach/classes/${classes[0]!.id}/images?name=${i}.png`, fresh(i)),
    );
    const counts = await statuses(asked);
    expect(Object.keys(counts).filter((status) => !['200', '400'].includes(status))).toEqual([]);
    expect(await verify(store)).toMatchObject({ ok: true });
    await studio.stop();
    studio = await startStudio(store, '--memory', '1GB');
    await api<TeachState>(studio, 'GET', '/api/teach');
  });

  it('decisions of two tabs are all kept', async () => {
    const { rows, snapshot } = await api<BrowsePage>(studio, 'GET', '/api/images');
    await many(rows.length, (i) =>
      api(studio, 'PUT', `/api/images/${snapshot}/${rows[i]!.row}/label`, { label: `label ${i}` }),
    );
    const lines = readFileSync(join(store, 'studio', 'review.jsonl'), 'utf8');
    for (let i = 0; i < rows.length; i++) expect(lines).toContain(`"label ${i}"`);
  });
});

describe('uploads', () => {
  const rssMiB = (what: 'VmRSS' | 'VmHWM'): number =>
    Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${studio.child.pid}/status`, 'utf8'))![1]) /
    1024;
  const known = (): Record<string, string> => ({ authorization: `Bearer ${studio.token}` });

  it.skipIf(!existsSync('/proc/self/status'))('of 24 times 29 MiB at once take memory for three', async () => {
    await raw(studio.port, { method: 'POST', path: '/api/search', headers: known(), body: picture('down', 0) });
    const before = rssMiB('VmRSS');
    // Refused by its header, so that nothing else takes time or memory.
    const body = Buffer.alloc(29 * 2 ** 20);
    blackPng(30_000, 30_000).copy(body);
    const answers = await many(24, () =>
      raw(studio.port, { method: 'POST', path: '/api/search', headers: known(), body }),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(24).fill(422));
    // All of them are 696 MiB.
    expect(rssMiB('VmHWM') - before).toBeLessThan(350);
  });

  it('that are given up half way are not spoken of, and no others wait for them', async () => {
    for (let i = 0; i < 8; i++) {
      const sent = request({
        port: studio.port,
        host: '127.0.0.1',
        method: 'POST',
        path: i % 2 === 0 ? '/api/search' : '/api/teach/ask',
        headers: { ...known(), 'content-length': String(MOST_UPLOAD_BYTES) },
        agent: false,
      });
      sent.on('error', () => undefined);
      await new Promise<void>((resolve) => sent.write(Buffer.alloc(2 ** 20), () => resolve()));
      sent.destroy();
    }
    const answer = await raw(studio.port, {
      method: 'POST',
      path: '/api/search',
      headers: known(),
      body: picture('down', 0),
    });
    expect(answer.status).toBe(200);
    expect(studio.stderr()).not.toMatch(/\n\s+at |failed|Error/);
  });

  it('without the token are refused, and not read to their end', async () => {
    let sent = 0;
    function* zeros(): Generator<Uint8Array> {
      const chunk = new Uint8Array(2 ** 20);
      for (; sent < 300; sent++) yield chunk;
    }
    const answer = await raw(studio.port, {
      method: 'POST',
      path: '/api/search',
      headers: { 'content-length': String(300 * 2 ** 20) },
      body: zeros(),
    });
    expect([401, CUT]).toContain(answer.status);
    expect(sent).toBeLessThan(40);
  });
});

describe('what a request names', () => {
  const post = (path: string, body: string) =>
    raw(studio.port, {
      method: 'POST',
      path,
      headers: { authorization: `Bearer ${studio.token}` },
      body: Buffer.from(body),
    });

  it('starts no sweep by a name that means something to objects', async () => {
    const answer = await post('/api/sweep', '{"axes":{"__proto__":"x"},"folds":2,"save":false}');
    expect([answer.status, answer.body.toString()]).toEqual([400, expect.stringContaining('__proto__')]);
    expect(await api(studio, 'GET', '/api/sweep')).toMatchObject({ state: 'none' });
  });

  it.each(['/api/teach/classes', '/api/teach/save'])('is whole text: %s', async (path) => {
    const answer = await post(path, path.endsWith('save') ? '{"as":"head","name":"a\\ud800"}' : '{"name":"\\ud800"}');
    expect([answer.status, answer.body.toString()]).toEqual([400, expect.stringContaining('half a character')]);
  });
});
