import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import type * as BackboneModule from '../../../src/workflows/backbone/backbone.ts';
import type * as BackbonesModule from '../../../src/workflows/backbone/backbones.ts';
import { built } from '../../support/built.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto } from '../../support/onnx-files.ts';

const { backbone } = await built<typeof BackboneModule>('workflows/backbone/backbone.js');
const { backbones } = await built<typeof BackbonesModule>('workflows/backbone/backbones.js');
const folder = temporaryFolders();

const bytes = modelProto(convNet());
const sha256 = sha256Hex(bytes);
const { PERMAFROST_CACHE } = process.env;
let [cache, file, address] = ['', '', ''];
let server: Server;

beforeAll(async () => {
  file = join(folder(), 'net.onnx');
  writeFileSync(file, bytes);
  server = createServer((request, answer) => {
    if (request.url === '/moved.onnx') answer.writeHead(302, { location: '/net.onnx' }).end();
    else if (request.url === '/net.onnx') answer.end(bytes);
    else answer.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

beforeEach(() => {
  cache = folder();
  process.env.PERMAFROST_CACHE = cache;
});
afterEach(() => {
  if (PERMAFROST_CACHE === undefined) delete process.env.PERMAFROST_CACHE;
  else process.env.PERMAFROST_CACHE = PERMAFROST_CACHE;
});

const kept = (): string[] => (existsSync(join(cache, 'backbones')) ? readdirSync(join(cache, 'backbones')) : []);

describe('the networks that are there', () => {
  it('are those in the box, and what they need', async () => {
    const { present, known } = await backbones();
    expect(present.map(({ name, needs }) => [name, needs === null])).toEqual([
      ['vgg16', true],
      ['vgg19', false],
      ['efficientnet-lite0', true],
    ]);
    expect(known.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['resnet50', 'dinov2-small', 'clip-vit-b-32']),
    );
  });

  it('name digests that can be proved alone, and two commands for each', async () => {
    const { known } = await backbones('list');
    for (const { sha256: digest, file: name, source, commands } of known) {
      expect(commands).toHaveLength(2);
      if (digest === null) continue;
      // Where it is from says it, in the address.
      expect(`${name} ${source}`).toContain(digest);
    }
  });
});

describe('adding a network', () => {
  it('verifies a file and keeps it with its description, where its name finds it', async () => {
    const { added, present } = await backbones('add', file, { sha256: sha256.toUpperCase(), contract: 'imagenet' });
    expect(added).toMatchObject({ name: 'net', origin: 'added', digest: sha256, verified: true });
    expect(present.map(({ name }) => name)).toContain('net');
    expect(sha256Hex(readFileSync(added!.file!))).toBe(sha256);
    const found = await backbone('net');
    expect(found).toMatchObject({ name: 'net', digest: sha256, contract: { name: 'imagenet', size: 16 } });
    expect(await backbones('remove', 'net')).toMatchObject({ added: null });
    expect(kept()).toEqual([]);
    await expect(backbone('net')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('keeps nothing of a file with another digest', async () => {
    const other = '0'.repeat(64);
    await expect(backbones('add', file, { sha256: other, contract: 'raw' })).rejects.toThrow(
      new RegExp(`has the SHA-256 ${sha256}, expected ${other}.*Nothing was added`),
    );
    await expect(backbones('add', file, { sha256: 'abc' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    expect(kept()).toEqual([]);
  });

  it('needs a contract, and takes that of a known network for its name', async () => {
    await expect(backbones('add', file)).rejects.toMatchObject({ code: 'CONTRACT_MISSING' });
    expect(kept()).toEqual([]);
    // What is known of it is of squares of 224 pixels, and this one has 16.
    await expect(backbones('add', file, { name: 'resnet50' })).rejects.toMatchObject({ code: 'CONTRACT_INVALID' });
    const open = join(folder(), 'open.onnx');
    writeFileSync(open, modelProto(convNet({ size: 'size' })));
    const { added } = await backbones('add', open, { name: 'resnet50' });
    expect(added).toMatchObject({ name: 'resnet50', licence: 'BSD-3-Clause (torchvision)', verified: false });
    expect(await backbone('resnet50')).toMatchObject({ contract: { size: 224, resize: 232, kernel: 'bilinear' } });
    expect((await backbones()).known.map(({ name }) => name)).not.toContain('resnet50');
  });

  it('refuses names that are taken or look like paths', async () => {
    const asked = { contract: 'raw', sha256 };
    for (const name of ['vgg16', 'a/b', 'net.onnx'])
      await expect(backbones('add', file, { ...asked, name })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await backbones('add', file, { ...asked, name: 'mine' });
    const other = join(folder(), 'other.onnx');
    writeFileSync(other, modelProto(convNet({ size: 24 })));
    await expect(backbones('add', other, { contract: 'raw', name: 'mine' })).rejects.toThrow(/remove mine/);
    expect(kept()).toEqual([sha256]);
  });

  it('refuses what is no network, and an action that is none', async () => {
    const text = join(folder(), 'text.onnx');
    writeFileSync(text, 'no network');
    await expect(backbones('add', text, { contract: 'raw' })).rejects.toMatchObject({ code: 'BACKBONE_INVALID' });
    await expect(backbones('add', join(folder(), 'none.onnx'))).rejects.toMatchObject({ code: 'BACKBONE_NOT_FOUND' });
    await expect(backbones('ad', file)).rejects.toThrow(/did you mean "add"/);
    await expect(backbones('add')).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(backbones('remove', 'nothing')).rejects.toThrow(/Added are: none/);
  });

  it('fetches an address, if its digest is given', async () => {
    const url = `${address}/moved.onnx`;
    // The first time it says which one the file has, for the user to compare, and keeps nothing.
    await expect(backbones('add', url, { contract: 'raw' })).rejects.toThrow(
      new RegExp(`Now it has ${sha256}: compare .* --sha256 ${sha256}. Nothing was added`),
    );
    expect(kept()).toEqual([]);
    const { added } = await backbones('add', url, { contract: 'raw', sha256, name: 'fetched' });
    expect(added).toMatchObject({ name: 'fetched', digest: sha256 });
    expect(await backbone('fetched')).toMatchObject({ source: url });
  });

  it('keeps nothing of an address that does not answer, or gives another file', async () => {
    const nowhere = backbones('add', `${address}/nothing.onnx`, { contract: 'raw', sha256 });
    await expect(nowhere).rejects.toThrow(/the server answers 404/);
    const wrong = backbones('add', `${address}/net.onnx`, { contract: 'raw', sha256: '1'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'BACKBONE_INVALID' });
    const closed = backbones('add', 'http://127.0.0.1:9/net.onnx', { contract: 'raw', sha256 });
    await expect(closed).rejects.toMatchObject({ code: 'BACKBONE_NOT_FOUND' });
    expect(kept()).toEqual([]);
  });
});
