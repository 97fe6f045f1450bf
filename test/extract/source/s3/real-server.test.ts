import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { requireConditionalWrites } from '../../../../src/extract/source/s3/conditional-writes.ts';
import { openS3, type ListedObject, type S3Access } from '../../../../src/extract/source/s3/s3-access.ts';
import { s3Here, startS3, type S3Server } from '../../../servers/s3.ts';

const BUCKET = 'images';

describe.skipIf(s3Here.isSkipped)(s3Here.needs('a real S3 server'), () => {
  let server: S3Server;
  let s3: S3Access;

  beforeAll(async () => {
    server = await startS3(BUCKET);
    for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value);
    s3 = await openS3();
  });
  afterAll(async () => {
    s3.close();
    vi.unstubAllEnvs();
    await server.stop();
  });

  async function listed(prefix: string): Promise<ListedObject[]> {
    const all: ListedObject[] = [];
    for await (const page of s3.list({ bucket: BUCKET, key: prefix })) all.push(...page);
    return all;
  }

  it('lists and reads more keys than a page has, and odd ones', async () => {
    const odd = ['a b', 'c+d', '%20', '100%', 'ünï', '雪', '\u{1f600}', "q'&()", 'a=b', '#1', '?x=1'];
    const keys = [
      ...Array.from({ length: 1100 }, (_, i) => `many/${i % 7}/${i}.jpg`),
      ...odd.map((name) => `many/odd/${name}.jpg`),
    ];
    await Promise.all(keys.map((key) => s3.write({ bucket: BUCKET, key }, Buffer.from(key))));
    const found = await listed('many/');
    expect(found.map(({ key }) => key).sort()).toEqual([...keys].sort());
    for (const { key, size } of found) expect(size).toBe(Buffer.byteLength(key));
    for (const name of odd) {
      const address = { bucket: BUCKET, key: `many/odd/${name}.jpg` };
      expect((await s3.read(address)).toString()).toBe(address.key);
      expect(await s3.facts(address)).toMatchObject({ etag: found.find(({ key }) => key === address.key)!.etag });
    }
  });

  it('heeds If-None-Match: of three processes that write one key at once, one is first', async () => {
    await requireConditionalWrites(s3, { bucket: BUCKET, key: 'parts' });
    const module = pathToFileURL(join(import.meta.dirname, '../../../../dist/extract/source/s3/s3-access.js')).href;
    const script = `const { openS3 } = await import(${JSON.stringify(module)});
      const s3 = await openS3();
      const me = process.argv[1];
      const won = [];
      for (let i = 0; i < 40; i++)
        if (await s3.write({ bucket: '${BUCKET}', key: 'race/' + i }, Buffer.from(me), { ifAbsent: true })) won.push(i);
      s3.close();
      console.log(JSON.stringify(won));`;
    const racers = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script, name], {
          env: { ...process.env, ...server.env },
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let out = '';
        child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
        await once(child, 'close');
        return { name, won: JSON.parse(out) as number[] };
      }),
    );
    expect(racers.flatMap(({ won }) => won).sort((a, b) => a - b)).toEqual([...Array(40).keys()]);
    for (const { name, won } of racers)
      for (const i of won) expect((await s3.read({ bucket: BUCKET, key: `race/${i}` })).toString()).toBe(name);
  });

  it('gives a part of an object, as long as it is the one that was meant', async () => {
    const address = { bucket: BUCKET, key: 'whole' };
    await s3.write(address, Buffer.from('0123456789'));
    const { etag } = await s3.facts(address);
    expect((await s3.read(address, { range: { from: 3, to: 5 }, etag })).toString()).toBe('345');
    await s3.write(address, Buffer.from('9876543210'));
    await expect(s3.read(address, { range: { from: 3, to: 5 }, etag })).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      message: expect.stringContaining('changed') as string,
    });
    await s3.remove(address);
    await s3.remove(address);
    expect(await listed('whole')).toEqual([]);
  });
});
