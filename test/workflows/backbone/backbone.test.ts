import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../../src/core/digest.ts';
import type * as BackboneModule from '../../../src/workflows/backbone/backbone.ts';
import { built } from '../../support/built.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { convNet, modelProto, tokenNet } from '../../support/onnx-files.ts';

const { backbone } = await built<typeof BackboneModule>('workflows/backbone/backbone.js');
const folder = temporaryFolders();

function convFile(name = 'net.onnx', root = folder()): string {
  const path = join(root, name);
  writeFileSync(path, modelProto(convNet()));
  return path;
}

const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe('what a network is', () => {
  it('says input, outputs, cuts with shapes and poolings, and the contract with where it is from', async () => {
    const file = convFile();
    const found = await backbone(file, { contract: 'imagenet' });
    expect(found).toMatchObject({
      name: 'net',
      kind: 'graph',
      file,
      digest: sha256Hex(readFileSync(file)),
      opsets: { 'ai.onnx': 17 },
      licence: null,
      input: { name: 'image', dtype: 'float32', shape: ['batch', 3, 16, 16], layout: 'NCHW', batch: null },
      outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', 5] }],
      defaultCut: 'features',
      contract: { name: 'imagenet', size: 16, channelOrder: 'RGB' },
      contractFrom: "the preset imagenet (16 pixels, the input's own)",
      contractMissing: null,
      written: null,
      check: null,
    });
    const cut = (name: string) => found.cuts.find((one) => one.name === name);
    expect(cut('block1')).toMatchObject({ axes: 'NCHW', height: 8, width: 8, channels: 8, prefix: null });
    expect(cut('block1')!.poolings).toEqual([
      { pooling: 'flatten', width: 512, byDefault: false },
      { pooling: 'avg', width: 8, byDefault: true },
      { pooling: 'max', width: 8, byDefault: false },
      { pooling: 'gem', width: 8, byDefault: false },
    ]);
    expect(cut('features')).toMatchObject({ axes: 'vector', poolings: [{ pooling: 'avg', width: 8 }] });
    expect(found.notes.join()).toContain('The default cut is "features"');
    const depths = found.cuts.map(({ depth }) => depth);
    expect(depths).toEqual([...depths].sort((a, b) => a - b));
  });

  it('tells patches from other tokens', async () => {
    const path = join(folder(), 'tokens.onnx');
    writeFileSync(path, modelProto(tokenNet()));
    const { cuts, defaultCut } = await backbone(path, { contract: 'siglip' });
    expect(cuts.find(({ name }) => name === defaultCut)).toMatchObject({ axes: 'tokens', width: 17, prefix: 1 });
    expect(cuts.find(({ name }) => name === defaultCut)!.poolings.map(({ pooling }) => pooling)).toEqual([
      'flatten',
      'avg',
      'max',
      'cls',
    ]);
  });

  it('says without a contract what is there, and what is missing', async () => {
    const found = await backbone(convFile());
    expect(found).toMatchObject({ contract: null, contractFrom: null, defaultCut: 'features' });
    expect(found.contractMissing).toMatch(/image float32 \(batch, 3, 16, 16\).*siglip/s);
    await expect(backbone(convFile(), { write: true })).rejects.toMatchObject({ code: 'CONTRACT_MISSING' });
  });

  it('says of a list of layers all its layers', async () => {
    const found = await backbone('vgg16');
    expect(found).toMatchObject({
      kind: 'layers',
      defaultCut: 'block5_pool',
      opsets: null,
      contract: { name: 'vgg16' },
    });
    expect(found.cuts).toHaveLength(18);
    await expect(backbone('vgg16', { write: true })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('names networks for a name that is none', async () => {
    await expect(backbone('vgg61')).rejects.toThrow(
      /no backbone "vgg61" \(did you mean "vgg16"\?\).*permafrost backbones/,
    );
  });
});

describe('--write', () => {
  it('keeps what was found in a backbone.json that is then followed, and says the same again', async () => {
    const file = convFile();
    const first = await backbone(file, { contract: 'caffe', write: true });
    const path = join(file, '../backbone.json');
    expect(first.written).toEqual({ path, changed: true });
    expect(json(path)).toMatchObject({
      permafrost: 'backbone/1',
      name: 'net',
      graph: { file: 'net.onnx', sha256: first.digest, input: 'image', layout: 'NCHW', dtype: 'float32' },
      contract: { channelOrder: 'BGR', size: 16 },
      primary: 'features',
    });
    const second = await backbone(file, { write: true });
    expect(second).toMatchObject({ contract: first.contract, written: { changed: false } });
    expect(second.contractFrom).toContain('backbone.json (permafrost)');
  });

  it('leaves another description as it is, and says what differs', async () => {
    const file = convFile();
    await backbone(file, { contract: 'caffe', write: true });
    const path = join(file, '../backbone.json');
    const before = readFileSync(path, 'utf8');
    await expect(backbone(file, { contract: 'raw', write: true })).rejects.toThrow(
      /contract\.channelOrder: "BGR", not "RGB".*--overwrite/s,
    );
    expect(readFileSync(path, 'utf8')).toBe(before);
    await backbone(file, { contract: 'raw', write: true, overwrite: true });
    expect(json(path)).toMatchObject({ contract: { channelOrder: 'RGB' } });
  });

  it('describes a file anew whose content has changed', async () => {
    const file = convFile();
    await backbone(file, { contract: 'caffe', write: true });
    writeFileSync(file, modelProto(convNet({ size: 24 })));
    await expect(backbone(file)).rejects.toMatchObject({ code: 'CONTRACT_INVALID' });
    const found = await backbone(file, { contract: 'caffe', write: true, overwrite: true });
    expect(found.written!.changed).toBe(true);
    expect(await backbone(file)).toMatchObject({ contract: { size: 24 } });
  });
});
