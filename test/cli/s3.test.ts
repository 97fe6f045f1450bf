import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { S3_SERVER, s3Here, startS3, type S3Server } from '../servers/s3.ts';
import type { BrowsePage } from '../../src/studio/api/studio-data.ts';
import { document, permafrost, type CommandOptions } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { startProxy, type Proxy } from '../support/s3-storage.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { raw } from '../support/http.ts';
import { api, startStudio } from '../support/studio.ts';

const folder = temporaryFolders();
const FAST = ['--cut', 'block1_pool:avg'];

describe.skipIf(s3Here.isSkipped)(s3Here.needs('a data set in S3'), () => {
  let server: S3Server;
  let proxy: Proxy;
  let local: string;
  let work: string;
  let client: S3Client;
  let env: Record<string, string>;

  const put = (Key: string, Body: Uint8Array) => client.send(new PutObjectCommand({ Bucket: 'images', Key, Body }));
  const run = (args: readonly string[], options: CommandOptions = {}) =>
    permafrost(args, { cwd: work, ...options, env: { ...env, ...options.env } });
  const extract = async (...args: string[]): Promise<ExtractResult> => {
    const finished = await run(['extract', ...args, ...FAST, '--json']);
    expect(finished).toMatchObject({ code: 0 });
    return document<ExtractResult>(finished);
  };

  beforeAll(async () => {
    server = await startS3('images');
    proxy = await startProxy(server.endpoint, () => 'pass');
    env = { ...server.env, AWS_ENDPOINT_URL_S3: proxy.endpoint };
    const { region, accessKeyId, secretAccessKey } = server;
    const credentials = { accessKeyId, secretAccessKey };
    client = new S3Client({ endpoint: server.endpoint, region, credentials, forcePathStyle: true });
    work = folder();
    local = await stripedDataset(join(folder(), 'stripes'), 5, 2);
    for (const name of readdirSync(local, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.png')) await put(`sets/stripes/${name}`, readFileSync(join(local, name)));
    await put('sets/stripes/Train/down/notes.txt', Buffer.from('no image'));
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  it('gives the features and the list that the same folder on a disk gives, byte by byte', async () => {
    const there = await extract('s3://images/sets/stripes');
    const here = await extract(local, '--store', 'local.permafrost');
    expect(there).toMatchObject({ dataset: 's3://images/sets/stripes', images: 14, extracted: 14, failed: [] });
    expect(there.store).toBe(join(work, 'stripes.permafrost'));
    expect(there.warnings).toEqual(here.warnings.concat('Ignored 1 that are no images: Train/down/notes.txt.'));
    const arrows = readdirSync(here.store).filter((name) => name.endsWith('.arrow'));
    expect(arrows.length).toBeGreaterThan(1);
    for (const name of arrows)
      expect(readFileSync(join(there.store, name)).equals(readFileSync(join(here.store, name)))).toBe(true);
  });

  it('is listed and not read again where nothing changed, and of what did that alone', async () => {
    proxy.asked.length = 0;
    expect(await extract('s3://images/sets/stripes/')).toMatchObject({ extracted: 0, reused: 14, unread: 14 });
    expect(proxy.asked.filter((asked) => asked.includes('list-type=2'))).toHaveLength(1);
    expect(proxy.asked.filter((asked) => asked.startsWith('HEAD'))).toHaveLength(1);
    expect(proxy.asked).toHaveLength(2);
    const png = readFileSync(join(local, 'Train/across/0.png'));
    await put('sets/stripes/Train/across/0.png', Buffer.concat([png, Buffer.from('more')]));
    expect(await extract('s3://images/sets/stripes')).toMatchObject({ extracted: 1, reused: 13, unread: 13 });
  });

  it('is trained on, checked, reported with its pictures, and asked', async () => {
    const store = 'stripes.permafrost';
    expect(await run(['train', store, '--head', 'ridge', '--pooling', 'avg'])).toMatchObject({ code: 0 });
    expect(await run(['check', store])).toMatchObject({ code: 0 });
    expect(await run(['report', store])).toMatchObject({
      code: 0,
      stderr: expect.not.stringContaining('cannot') as string,
    });
    const page = readFileSync(join(work, store, 'report.html'), 'utf8');
    expect(page).toContain('s3://images/sets/stripes');
    const heads = readdirSync(join(work, store, 'heads')).filter((name) => name.endsWith('.safetensors'));
    const head = join(store, 'heads', heads[0]!);
    const { predictions } = document<PredictResult>(
      await run(['predict', head, 's3://images/sets/stripes/Val/', '--json']),
    );
    expect(predictions.map(({ path }) => path)).toContain('s3://images/sets/stripes/Val/across/0.png');
    expect(predictions).toHaveLength(4);
  });

  it('is named by a list too, on the disk or in the bucket', async () => {
    const rows = ['across', 'down'].flatMap((label) => [0, 1].map((i) => ({ path: `Train/${label}/${i}.png`, label })));
    const jsonl = rows.map((row) => JSON.stringify(row)).join('\n');
    await put('sets/stripes/some.jsonl', Buffer.from(jsonl));
    const found = await extract('s3://images/sets/stripes/some.jsonl');
    expect(found).toMatchObject({ dataset: 's3://images/sets/stripes', images: 4, failed: [] });
    expect(await extract('s3://images/sets/stripes/some.jsonl')).toMatchObject({ extracted: 0, unread: 4 });
    await put('sets/stripes/none.jsonl', Buffer.from(jsonl.replaceAll('Train/', 'Trian/')));
    const missing = await run(['extract', 's3://images/sets/stripes/none.jsonl']);
    expect(missing).toMatchObject({ code: 1 });
    expect(missing.stderr).toMatch(/None of 4 images that were asked for.*\[DATASET_NOT_FOUND\]/s);
  });

  // moto checks no signatures.
  it.skipIf(S3_SERVER === 'moto').each([
    [
      { AWS_SECRET_ACCESS_KEY: 'wrong-secret-0123' },
      's3://images/sets',
      /SignatureDoesNotMatch.*\[DATASET_UNREACHABLE\]/s,
    ],
    [
      { AWS_ACCESS_KEY_ID: 'wrong-key-0123' },
      's3://images/sets',
      /(InvalidAccessKeyId|XAdminUserNotFound).*AWS_PROFILE.*\[DATASET_UNREACHABLE\]/s,
    ],
    [{}, 's3://none/sets', /NoSuchBucket.*\[DATASET_NOT_FOUND\]/s],
    [{ AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' }, 's3://images/sets', /ECONNREFUSED.*\[DATASET_UNREACHABLE\]/s],
  ])('is refused before any work, without the credentials in a message: %j %s', async (wrong, where, told) => {
    const finished = await run(['extract', where, '--store', 'refused.permafrost'], { env: wrong });
    expect(finished).toMatchObject({ code: 1 });
    expect(finished.stderr).toMatch(told);
    expect(finished.stderr + finished.stdout).not.toMatch(/wrong-secret|testsecret/);
    expect(readdirSync(work)).not.toContain('refused.permafrost');
  });

  it('is shown by the studio; without the storage one picture says so, and the page works', async () => {
    for (const [name, value] of Object.entries(env)) process.env[name] = value;
    const studio = await startStudio(join(work, 'stripes.permafrost'));
    const picture = async (row: number, snapshot: string) =>
      raw(studio.port, {
        path: `/api/images/${snapshot}/${row}/thumbnail.webp`,
        headers: { authorization: `Bearer ${studio.token}` },
      });
    try {
      const { rows, snapshot } = await api<BrowsePage>(studio, 'GET', '/api/images');
      expect(await picture(rows[0]!.row, snapshot)).toMatchObject({ status: 200 });
      await server.stop();
      const { status, body } = await picture(rows[1]!.row, snapshot);
      expect([status, body.toString()]).toEqual([404, expect.stringContaining('s3://images/sets/stripes') as string]);
      expect((await api<BrowsePage>(studio, 'GET', '/api/images')).rows).toHaveLength(rows.length);
    } finally {
      await studio.stop();
    }
    const reported = await run(['report', 'stripes.permafrost']);
    expect(reported).toMatchObject({ code: 0 });
  });
});
