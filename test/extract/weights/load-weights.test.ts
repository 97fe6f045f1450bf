import { execFileSync } from 'node:child_process';
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSafetensors, type SafeTensor } from '../../../src/core/safetensors.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { weightsDigest } from '../../../src/extract/weights/fit-weights.ts';
import { loadWeights, type LoadedWeights } from '../../../src/extract/weights/load-weights.ts';
import { hasShared, needsShared, sharedPath } from '../../support/shared.ts';
import { randomWeights, tinyBackbone } from '../../support/tiny-backbone.ts';

const carriedFolder = fileURLToPath(new URL('../../../data/weights/', import.meta.url));
const INDEX = 'vgg16-imagenet.safetensors.index.json';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'permafrost-weights-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the weights that come with the package', () => {
  let bundled: LoadedWeights;
  beforeAll(async () => {
    bundled = await loadWeights({ backbone: vgg16 });
  });

  it('are the ImageNet values that Keras has', () => {
    const kernel = bundled.tensors.get('block1_conv1/kernel')!;
    expect(kernel.shape).toEqual([3, 3, 3, 64]);
    expect([...kernel.data.subarray(0, 3)]).toEqual([0.42947057, 0.11727387, 0.03401296].map(Math.fround));
    const bias = bundled.tensors.get('block5_conv3/bias')!.data;
    expect(Math.min(...bias)).toBeCloseTo(-0.50036746, 7);
    expect(Math.max(...bias)).toBeCloseTo(9.431553, 5);
    expect(bias.reduce((sum, value) => sum + value, 0) / bias.length).toBeCloseTo(0.14986369, 6);
  });

  it('have the digest that the index states, computed anew over all tensors', () => {
    expect(weightsDigest(bundled.tensors)).toBe(bundled.digest);
    expect(bundled.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(bundled.notes).toEqual([]);
  });

  it('lie in shards below 50 MB each, next to a notice that names the authors and the licence', async () => {
    const { shards } = JSON.parse(await readFile(join(carriedFolder, INDEX), 'utf8')) as {
      shards: Record<string, { bytes: number }>;
    };
    expect(Object.keys(shards).length).toBeGreaterThan(1);
    for (const { bytes } of Object.values(shards)) expect(bytes).toBeLessThan(50_000_000);
    expect(await readFile(join(carriedFolder, 'NOTICE'), 'utf8')).toMatch(/Simonyan[^]*CC BY 4\.0/);
  });

  it('are found by the built program too', () => {
    const script = `
      const { loadWeights } = await import('./dist/extract/weights/load-weights.js');
      const { vgg16 } = await import('./dist/extract/backbones/vgg.js');
      console.log((await loadWeights({ backbone: vgg16 })).digest);`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe(bundled.digest);
  });

  it('are not there for a backbone that has none', async () => {
    await expect(loadWeights({ backbone: tinyBackbone([2]) })).rejects.toMatchObject({
      code: 'WEIGHTS_NOT_FOUND',
      message: expect.stringContaining('only for vgg16') as string,
    });
  });

  describe.skipIf(!hasShared('weights'))(needsShared('weights', 'against the file they were made from'), () => {
    it('have its digest', async () => {
      const file = sharedPath('weights/vgg16-imagenet-notop.safetensors');
      expect((await loadWeights({ backbone: vgg16, file })).digest).toBe(bundled.digest);
    });
  });
});

describe('weights in shards', () => {
  const shard = 'vgg16-imagenet-00002-of-00002.safetensors';
  let copy: string;
  beforeAll(async () => {
    copy = join(folder, 'copy');
    await cp(carriedFolder, copy, { recursive: true });
  });

  it.each([0, 9, 500, 20_000_000, 28_318_239])('are corrupt with byte %i of a shard flipped', async (at) => {
    const bytes = await readFile(join(carriedFolder, shard));
    bytes[at]! ^= 1;
    await writeFile(join(copy, shard), bytes);
    await expect(loadWeights({ backbone: vgg16, file: join(copy, INDEX) })).rejects.toMatchObject({
      code: 'WEIGHTS_CORRUPT',
      message: expect.stringMatching(new RegExp(`${shard} is damaged`)) as string,
    });
  });

  it('are corrupt with a shard cut off, and not found with a shard gone', async () => {
    const bytes = await readFile(join(carriedFolder, shard));
    await writeFile(join(copy, shard), bytes.subarray(0, 1000));
    const load = () => loadWeights({ backbone: vgg16, file: join(copy, INDEX) });
    await expect(load()).rejects.toMatchObject({ code: 'WEIGHTS_CORRUPT' });
    await rm(join(copy, shard));
    await expect(load()).rejects.toMatchObject({ code: 'WEIGHTS_NOT_FOUND' });
    await copyFile(join(carriedFolder, shard), join(copy, shard));
    expect((await load()).notes).toEqual([]);
  });

  it.each([
    ['is not JSON', '{'],
    ['has no weight_map', '{}'],
    ['names a shard elsewhere', '{"weight_map": {"block1_conv1/kernel": "../x.safetensors"}}'],
    ['places a tensor where it is not', `{"weight_map": {"block1_conv1/kernel": "${shard}"}}`],
  ])('are corrupt when the index %s', async (_, index) => {
    const file = join(copy, 'bad.json');
    await writeFile(file, index);
    await expect(loadWeights({ backbone: vgg16, file })).rejects.toMatchObject({ code: 'WEIGHTS_CORRUPT' });
  });

  it('need no digests in the index: one as Hugging Face writes it is enough', async () => {
    const { weight_map } = JSON.parse(await readFile(join(copy, INDEX), 'utf8')) as { weight_map: object };
    const file = join(copy, 'plain.json');
    await writeFile(file, JSON.stringify({ metadata: { total_size: 58858752 }, weight_map }));
    const bundled = await loadWeights({ backbone: vgg16 });
    expect((await loadWeights({ backbone: vgg16, file })).digest).toBe(bundled.digest);
  });
});

describe('weights of one .safetensors file', () => {
  const backbone = tinyBackbone([2, 0, 4]);
  const weights = randomWeights(backbone, 1);
  const tensors = (): Map<string, SafeTensor> =>
    new Map([...weights.tensors].map(([name, tensor]) => [name, { dtype: 'F32', ...tensor }]));

  async function load(content: ReadonlyMap<string, SafeTensor>): Promise<LoadedWeights> {
    const file = join(folder, 'one.safetensors');
    await writeFile(file, writeSafetensors(content));
    return loadWeights({ backbone, file });
  }

  it('are loaded whatever their order, and layers of a head are ignored with a note', async () => {
    const shuffled = new Map([...tensors()].toReversed());
    shuffled.set('predictions/kernel', { dtype: 'U8', shape: [1], data: new Uint8Array(1) });
    const loaded = await load(shuffled);
    expect(loaded.digest).toBe(weights.digest);
    expect([...loaded.tensors.keys()]).toEqual([...weights.tensors.keys()]);
    expect(loaded.notes).toEqual(['Ignored what is not part of the base of tiny: predictions.']);
  });

  it.each([
    [['block3_conv4', 'block4_conv4', 'block5_conv4'], /it has block3_conv4, .*it is VGG19, not/],
    [['block2_conv3', 'fc1'], /it has block2_conv3, which tiny has not: it is of another network/],
    [['features.34'], /it has features\.34, which tiny has not/],
    [['block1_bn1'], /it has block1_bn1/],
  ])('are refused with layers %j within the blocks, which the backbone lacks', async (layers, message) => {
    const content = tensors();
    for (const layer of layers)
      content.set(`${layer}/kernel`, { dtype: 'F32', shape: [3, 3, 1, 1], data: new Float32Array(9) });
    await expect(load(content)).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(message) as string,
    });
  });

  it('have another digest when one value, one name or one shape differs', async () => {
    const changed = tensors();
    const data = changed.get('conv2/bias')!.data.slice() as Float32Array;
    data[0] = data[0]! + 1;
    changed.set('conv2/bias', { dtype: 'F32', shape: [4], data });
    expect((await load(changed)).digest).not.toBe(weights.digest);
    const renamed = new Map([...weights.tensors].map(([name, tensor]) => [name.replace('conv', 'c'), tensor]));
    expect(weightsDigest(renamed)).not.toBe(weights.digest);
    const reshaped = new Map([...weights.tensors].map(([name, { data: d }]) => [name, { shape: [d.length], data: d }]));
    expect(weightsDigest(reshaped)).not.toBe(weights.digest);
  });

  it.each([
    ['lack a tensor', 'conv2/bias', undefined, /needs the tensor conv2\/bias of shape \(4\).*layers conv1, conv2/],
    ['have a wrong shape', 'conv1/bias', { dtype: 'F32', shape: [3], data: new Float32Array(3) }, /\(3\).*\(2\)/],
    [
      'have the axes of PyTorch',
      'conv2/kernel',
      { dtype: 'F32', shape: [4, 2, 3, 3], data: new Float32Array(72) },
      /axes of PyTorch/,
    ],
    ['are float16', 'conv1/bias', { dtype: 'F16', shape: [2], data: new Uint16Array(2) }, /is F16, expected F32/],
  ] as const)('are refused when they %s', async (_, name, tensor, message) => {
    const content = tensors();
    if (tensor === undefined) content.delete(name);
    else content.set(name, tensor);
    await expect(load(content)).rejects.toMatchObject({
      code: 'WEIGHTS_MISMATCH',
      message: expect.stringMatching(message) as string,
    });
  });

  it('are refused when the file is damaged, missing or of another kind', async () => {
    const file = join(folder, 'damaged.safetensors');
    await writeFile(file, writeSafetensors(tensors()).subarray(0, 100));
    await expect(loadWeights({ backbone, file })).rejects.toMatchObject({ code: 'WEIGHTS_CORRUPT' });
    await expect(loadWeights({ backbone, file: join(folder, 'none.safetensors') })).rejects.toMatchObject({
      code: 'WEIGHTS_NOT_FOUND',
    });
    await expect(loadWeights({ backbone, file: 'model.keras' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/model\.weights\.h5 inside/) as string,
    });
  });
});
