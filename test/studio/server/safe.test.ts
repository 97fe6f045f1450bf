import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BrowsePage, StoreFacts } from '../../../src/studio/api/studio-data.ts';
import { MOST_UPLOAD_BYTES } from '../../../src/studio/api/api.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { permafrost } from '../../support/command.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { CUT, raw, type RawAnswer } from '../../support/http.ts';
import { api, startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();
const SECRET = 'what no page may read';
let root: string;
let dataset: string;
let store: string;
let studio: StudioProcess;
let known: Record<string, string>;

beforeAll(async () => {
  root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 4, 2);
  store = join(root, 'store');
  writeFileSync(join(root, 'secret.txt'), SECRET);
  await extract(dataset, { store, engine: 'onnxruntime', cut: 'block1_pool' });
  studio = await startStudio(store);
  known = { authorization: `Bearer ${studio.token}` };
});
afterAll(async () => {
  await studio?.stop();
});

const text = ({ body }: RawAnswer): string => body.toString();
const rssMiB = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${studio.child.pid}/status`, 'utf8'))![1]) / 1024;

/** A real PNG of one bit a pixel, black: small on the wire, huge in memory. */
function bomb(side: number): Buffer {
  const chunk = (type: string, data: Uint8Array): Buffer => {
    const content = Buffer.concat([Buffer.from(type), data]);
    const framed = Buffer.alloc(content.length + 8);
    framed.writeUInt32BE(data.length, 0);
    content.copy(framed, 4);
    framed.writeUInt32BE(crc32(content), content.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const rows = Buffer.alloc((Math.ceil(side / 8) + 1) * side);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('the studio listens on the loopback only, and to its own page only', () => {
  it('answers nothing without the token, neither page nor picture nor API', async () => {
    for (const path of ['/', '/index.html', '/tokens.css', '/api/store', '/api/teach', '/api/images/x/0/large.webp']) {
      const answer = await raw(studio.port, { path });
      expect({ path, status: answer.status }).toEqual({ path, status: 401 });
      expect(text(answer)).toContain('Open the address');
    }
    for (const token of ['', 'x', studio.token.slice(1), `${studio.token}x`]) {
      expect((await raw(studio.port, { path: `/?token=${token}` })).status).toBe(401);
      expect(
        (await raw(studio.port, { path: '/api/store', headers: { authorization: `Bearer ${token}` } })).status,
      ).toBe(401);
    }
    // A token in an address opens the page; it is no key to the rest.
    expect((await raw(studio.port, { path: `/api/store?token=${studio.token}` })).status).toBe(401);
  });

  /** What a browser has after it opened the printed address: where it was led, and the cookie. */
  async function opened(): Promise<{ home: string; cookie: string; attributes: string }> {
    const answer = await raw(studio.port, { path: `/?token=${studio.token}` });
    expect(answer.status).toBe(303);
    const [cookie, ...attributes] = answer.headers['set-cookie']![0]!.split('; ');
    return { home: answer.headers.location!, cookie: cookie!, attributes: attributes.join('; ') };
  }

  it('gives a cookie for the address that it printed, which no script reads and no other site sends', async () => {
    const { home, cookie, attributes } = await opened();
    expect(attributes).toBe(`Path=${home}; HttpOnly; SameSite=Strict`);
    const page = await raw(studio.port, { path: home, headers: { cookie } });
    expect(page.status).toBe(200);
    expect(text(page)).toContain('<title>permafrost studio</title>');
    for (const [, file] of text(page).matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)) {
      expect(file).toMatch(/^\.\//);
      expect((await raw(studio.port, { path: home + file!.slice(2), headers: { cookie } })).status).toBe(200);
    }
  });

  it('gives it for a path that no page on another port can know, since a browser sends cookies to all ports', async () => {
    const { home, cookie } = await opened();
    expect(home).toMatch(/^\/[\w-]{16}\/$/);
    // A page elsewhere on 127.0.0.1 asks for paths of its own, so it is never sent; elsewhere it opens nothing.
    for (const path of ['/', '/api/store', '/index.html', `${home.slice(0, -1)}x/api/store`])
      expect({ path, status: (await raw(studio.port, { path, headers: { cookie } })).status }).toEqual({
        path,
        status: 401,
      });
    expect((await raw(studio.port, { path: `${home}api/store`, headers: { cookie } })).status).toBe(200);
    expect((await raw(studio.port, { path: `${home}api/store` })).status).toBe(401);
    expect(text(await raw(studio.port, { path: home }))).not.toContain(studio.token);
    const other = await raw(studio.port, { path: `/?token=${studio.token}` });
    expect(other.headers.location).toBe(home);
    expect(home).not.toContain(studio.token);
  });

  it('refuses a foreign Host: a name that leads to 127.0.0.1 is not enough', async () => {
    for (const host of [
      'evil.example',
      `evil.example:${studio.port}`,
      '127.0.0.1:1',
      `127.0.0.1.evil.example:${studio.port}`,
    ]) {
      const answer = await raw(studio.port, { path: '/api/store', headers: { ...known, host } });
      expect({ host, status: answer.status }).toEqual({ host, status: 403 });
    }
    const fine = await raw(studio.port, {
      path: '/api/store',
      headers: { ...known, host: `localhost:${studio.port}` },
    });
    expect(fine.status).toBe(200);
  });

  it('refuses a foreign Origin and a request of another site, even with the token', async () => {
    for (const headers of [
      { origin: 'http://evil.example' },
      { origin: 'null' },
      { origin: `http://127.0.0.1:${studio.port + 1}` },
      { origin: `https://127.0.0.1:${studio.port}` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await raw(studio.port, {
        method: 'POST',
        path: '/api/teach/classes',
        headers: { ...known, ...(headers as Record<string, string>) },
        body: Buffer.from('{"name":"planted"}'),
      });
      expect({ headers, status: answer.status }).toEqual({ headers, status: 403 });
    }
    expect(await api(studio, 'GET', '/api/teach')).toMatchObject({ classes: [] });
  });

  it('refuses a change that comes with the cookie alone, without an origin', async () => {
    const cookie = `permafrost-${studio.port}=${studio.token}`;
    const { home } = await opened();
    const ask = (headers: Record<string, string>): Promise<RawAnswer> =>
      raw(studio.port, { method: 'POST', path: `${home}api/teach/undo`, headers: { cookie, ...headers } });
    expect((await ask({})).status).toBe(403);
    expect((await ask({ origin: `http://127.0.0.1:${studio.port}` })).status).toBe(200);
  });

  it('sends a policy without inline script and the headers that keep its answers to itself', async () => {
    for (const path of ['/', '/api/store', '/nothing']) {
      const { headers } = await raw(studio.port, { path, headers: known });
      expect(headers['content-security-policy']).toContain("default-src 'none'");
      expect(headers['content-security-policy']).toContain("script-src 'self';");
      expect(headers['content-security-policy']).not.toContain('unsafe');
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('no-referrer');
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
    const page = text(await raw(studio.port, { path: '/', headers: known }));
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>/);
    expect(page).not.toMatch(/\son\w+=|\sstyle=|https?:\/\//);
  });

  it('has one studio a store', async () => {
    const second = await permafrost(['studio', store]);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/being written to by process \d+ \(permafrost studio\).*\[STORE_LOCKED\]/);
  });

  it('says so where its port is taken', async () => {
    const other = join(root, 'other');
    await extract(dataset, { store: other, engine: 'onnxruntime', cut: 'block1_pool' });
    const second = await permafrost(['studio', other, '--port', String(studio.port)]);
    expect(second.code).toBe(2);
    expect(second.stderr).toMatch(/cannot listen on 127\.0\.0\.1:\d+.*\[OPTION_INVALID\]/);
  });
});

describe('nothing outside the data set can be read', () => {
  it('no address leads to a file', async () => {
    const { snapshot } = (await api<{ facts: StoreFacts }>(studio, 'GET', '/api/store')).facts;
    const up = '../'.repeat(12);
    for (const path of [
      `/${up}etc/passwd`,
      '/..%2f..%2f..%2fetc/passwd',
      '/%2e%2e/%2e%2e/secret.txt',
      '/assets/../../../../secret.txt',
      '/..\\..\\secret.txt',
      `/api/images/${snapshot}/..%2f..%2fsecret.txt/large.webp`,
      `/api/images/${snapshot}/${encodeURIComponent(join(root, 'secret.txt'))}/large.webp`,
      `/api/images/${snapshot}/-1/large.webp`,
      `/api/images/${snapshot}/1e1/large.webp`,
      `/api/images/${snapshot}/999/large.webp`,
      `/api/teach/pictures/..%2f..%2f..%2fsecret.txt.webp`,
      `/api/teach/pictures/${'0'.repeat(64)}.webp`,
      '/manifest.json',
      '/main.tsx',
    ]) {
      const answer = await raw(studio.port, { path, headers: known });
      expect([400, 404], path).toContain(answer.status);
      expect(text(answer)).not.toContain(SECRET);
      expect(text(answer)).not.toContain('root:');
    }
    const head = await raw(studio.port, {
      path: `/api/images?head=${encodeURIComponent('../manifest.json')}`,
      headers: known,
    });
    expect(head.status).toBe(400);
    expect(text(head)).toContain('has no head');
  });

  it('shows no image that a link leads out of the data set to, and none that was changed', async () => {
    const page = await api<BrowsePage>(studio, 'GET', '/api/images?label=down');
    const [first, second, third] = page.rows;
    const address = (row: number): string => `/api/images/${page.snapshot}/${row}/large.webp`;
    // The very bytes that were extracted, but elsewhere: the link alone is the reason.
    const outside = join(root, 'outside.png');
    const bytes = readFileSync(join(dataset, first!.path));
    writeFileSync(outside, bytes);
    rmSync(join(dataset, first!.path));
    symlinkSync(outside, join(dataset, first!.path));
    const linked = await raw(studio.port, { path: address(first!.row), headers: known });
    expect(linked.status).toBe(404);
    expect(text(linked)).toContain('outside the folder of the data set');

    rmSync(join(dataset, second!.path));
    symlinkSync(join(root, 'secret.txt'), join(dataset, second!.path));
    expect((await raw(studio.port, { path: address(second!.row), headers: known })).status).toBe(404);

    writeFileSync(join(dataset, third!.path), bytes);
    const changed = await raw(studio.port, { path: address(third!.row), headers: known });
    expect(changed.status).toBe(404);
    expect(text(changed)).toContain('another file now');

    const fourth = page.rows[3]!;
    const fine = await raw(studio.port, { path: address(fourth.row), headers: known });
    expect(fine.status).toBe(200);
    expect(fine.headers['content-type']).toBe('image/webp');
    expect(fine.body.subarray(8, 12).toString()).toBe('WEBP');
  });

  it('shows images that a list names outside its own folder, and nothing that stands in their place', async () => {
    const [away, lists] = [join(root, 'away'), join(root, 'lists')];
    for (const path of [away, lists]) mkdirSync(path);
    const lines = ['path,label,split'];
    for (const [i, label] of ['across', 'down', 'across', 'down', 'across', 'down'].entries()) {
      const from = i < 4 ? join('Train', 'across', `${i}.png`) : join('Val', 'across', `${i - 4}.png`);
      copyFileSync(join(dataset, from), join(away, `${i}.png`));
      lines.push(`../away/${i}.png,${label},${i < 4 ? 'train' : 'val'}`);
    }
    const file = join(lists, 'list.csv');
    writeFileSync(file, lines.join('\n'));
    const listed = join(root, 'listed');
    await extract(file, { store: listed, engine: 'onnxruntime', cut: 'block1_pool' });
    const other = await startStudio(listed);
    try {
      const headers = { authorization: `Bearer ${other.token}` };
      const page = await api<BrowsePage>(other, 'GET', '/api/images');
      expect(page.rows.map(({ path }) => path)).toEqual([0, 1, 2, 3, 4, 5].map((i) => `../away/${i}.png`));
      const large = (row: number): Promise<RawAnswer> =>
        raw(other.port, { path: `/api/images/${page.snapshot}/${row}/large.webp`, headers });
      const shown = await large(0);
      expect(shown.status).toBe(200);
      expect(shown.body.subarray(8, 12).toString()).toBe('WEBP');

      const at = (i: number): string => join(away, `${i}.png`);
      // The very bytes, but behind a link.
      copyFileSync(at(1), join(root, 'copy.png'));
      rmSync(at(1));
      symlinkSync(join(root, 'copy.png'), at(1));
      rmSync(at(2));
      symlinkSync(join(root, 'secret.txt'), at(2));
      writeFileSync(at(3), SECRET);
      // Reading a pipe would wait without end.
      rmSync(at(4));
      execFileSync('mkfifo', [at(4)]);
      for (const [row, words] of [
        [1, 'a link to a place'],
        [2, 'a link to a place'],
        [3, 'another file now'],
        [4, 'no file: it is not opened'],
      ] as const) {
        const refused = await large(row);
        expect({ row, status: refused.status }).toEqual({ row, status: 404 });
        expect(text(refused)).toContain(words);
        expect(text(refused)).not.toContain(SECRET);
      }
      // A neighbour of what the list names is not named by it.
      writeFileSync(join(away, 'secret.png'), readFileSync(at(5)));
      for (const name of ['..%2faway%2fsecret.png', '6'])
        expect(
          (await raw(other.port, { path: `/api/images/${page.snapshot}/${name}/large.webp`, headers })).status,
        ).toBe(404);
    } finally {
      await other.stop();
    }
  });

  it('makes no folder or file for a name that is a path', async () => {
    for (const name of ['../up', '/tmp/x', 'a/b', '.hidden', 'CON', 'x\u0000y', '', ' ', 'a\\b']) {
      const answer = await raw(studio.port, {
        method: 'POST',
        path: '/api/teach/classes',
        headers: known,
        body: Buffer.from(JSON.stringify({ name })),
      });
      expect({ name, status: answer.status }).toEqual({ name, status: 400 });
    }
  });
});

describe('what is sent to the studio is bounded', () => {
  /** `bytes` zeros in chunks of 1 MiB; counts what was taken off its hands. */
  function* zeros(bytes: number, sent: { bytes: number }): Generator<Uint8Array> {
    const chunk = new Uint8Array(2 ** 20);
    for (; sent.bytes < bytes; sent.bytes += chunk.length) yield chunk;
  }

  it('refuses 1 GB by its announced length, without reading it', async () => {
    let sent = 0;
    async function* late(): AsyncGenerator<Uint8Array> {
      // The header alone is answered: by the time that the body would begin, the answer is there.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      sent++;
      yield new Uint8Array(2 ** 20);
    }
    const answer = await raw(studio.port, {
      method: 'POST',
      path: '/api/search',
      headers: { ...known, 'content-length': String(2 ** 30) },
      body: late(),
    });
    expect(answer.status).toBe(413);
    expect(text(answer)).toContain('30 MiB');
    expect(sent).toBeLessThanOrEqual(1);
  });

  it('refuses 1 GB that comes in chunks of no announced length, with bounded memory', async () => {
    const before = rssMiB();
    const sent = { bytes: 0 };
    const answer = await raw(studio.port, {
      method: 'POST',
      path: '/api/search',
      headers: { ...known, 'transfer-encoding': 'chunked' },
      body: zeros(2 ** 30, sent),
    });
    expect([413, CUT]).toContain(answer.status);
    expect(sent.bytes).toBeGreaterThanOrEqual(MOST_UPLOAD_BYTES);
    expect(sent.bytes).toBeLessThan(2 ** 30 / 4);
    expect(rssMiB() - before).toBeLessThan(200);
    expect((await raw(studio.port, { path: '/api/store', headers: known })).status).toBe(200);
  });

  it('refuses a picture of 30,000 x 30,000 pixels by its header, with bounded memory', async () => {
    const bytes = bomb(30_000);
    expect(bytes.length).toBeLessThan(2 ** 20);
    const before = rssMiB();
    for (const path of ['/api/search', '/api/teach/classes/0/images']) {
      const answer = await raw(studio.port, { method: 'POST', path, headers: known, body: bytes });
      expect({ path, status: answer.status }).toEqual({ path, status: 422 });
      expect(text(answer)).toMatch(/30000 x 30000|pixel limit/);
    }
    expect(rssMiB() - before).toBeLessThan(200);
    // The generator makes pictures that decode, only smaller: what is refused is the size.
    const small = await raw(studio.port, {
      method: 'POST',
      path: '/api/search',
      headers: known,
      body: bomb(300),
    });
    expect(small.status).toBe(200);
  });

  it('refuses what is no picture, and goes on', async () => {
    for (const body of [
      Buffer.from('no picture'),
      Buffer.alloc(0),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><'),
    ]) {
      const answer = await raw(studio.port, { method: 'POST', path: '/api/search', headers: known, body });
      expect(answer.status).toBe(422);
    }
    const deep = await raw(studio.port, {
      method: 'POST',
      path: '/api/teach/classes',
      headers: known,
      body: Buffer.from('[['.repeat(20_000)),
    });
    expect(deep.status).toBe(400);
    const long = await raw(studio.port, {
      method: 'POST',
      path: '/api/teach/classes',
      headers: known,
      body: Buffer.from(JSON.stringify({ name: 'x'.repeat(70_000) })),
    });
    expect(long.status).toBe(413);
    expect((await raw(studio.port, { path: '/api/store', headers: known })).status).toBe(200);
  });
});
