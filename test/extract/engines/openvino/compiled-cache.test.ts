import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../../../src/core/digest.ts';
import { vgg16 } from '../../../../src/extract/backbones/vgg.ts';
import { createEngine, engineNamed } from '../../../../src/extract/engines/index.ts';
import { compiledCache, compiledFolder } from '../../../../src/extract/engines/openvino/compiled-cache.ts';
import { locateOpenVino } from '../../../../src/extract/engines/openvino/locate.ts';
import { loadWeights } from '../../../../src/extract/weights/load-weights.ts';
import { kerasCaffe } from '../../../support/contracts.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { hasOpenVino, needsOpenVino } from '../../../support/openvino.ts';
import { randomPixels, randomWeights, tinyBackbone } from '../../../support/tiny-backbone.ts';

const newFolder = temporaryFolders();
const write = (text: string) => (path: string) => writeFile(path, text);
const textOf = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

describe('the cache of compiled networks', () => {
  it('gives back what was written under a key, and nothing under another or after drop', async () => {
    const cache = compiledCache(join(newFolder(), 'new'));
    expect(await cache.read('a')).toBeUndefined();
    await cache.write('a', write('one'));
    await cache.write('b', write('two'));
    expect([textOf(await cache.read('a')), textOf(await cache.read('b'))]).toEqual(['one', 'two']);
    await cache.drop('a');
    expect(await cache.read('a')).toBeUndefined();
    expect(textOf(await cache.read('b'))).toBe('two');
  });

  it('removes a file of which a byte has changed, and never gives it', async () => {
    const folder = newFolder();
    const cache = compiledCache(folder);
    await cache.write('a', write('one'));
    writeFileSync(join(folder, readdirSync(folder)[0]!), 'onf');
    expect(await cache.read('a')).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('notices bytes that are others under the digest that they have now, and says so', async () => {
    const folder = join(newFolder(), 'compiled');
    const told: string[] = [];
    const cache = compiledCache(folder, (message) => told.push(message));
    await cache.write('a', write('one'));
    await cache.write('b', write('two'));
    const named = (key: string): string => readdirSync(folder).find((name) => name.startsWith(`${key}-`))!;
    const forged = Buffer.from('three');
    rmSync(join(folder, named('a')));
    writeFileSync(join(folder, `a-${sha256Hex(forged)}.blob`), forged);
    expect(await cache.read('a')).toBeUndefined();
    expect(told).toEqual([expect.stringMatching(/a-[0-9a-f]{64}\.blob is not the compiled network .* compiled anew/)]);
    // Nor is the whole file of another network taken for this one.
    renameSync(join(folder, named('b')), join(folder, named('b').replace('b-', 'a-')));
    expect(await cache.read('a')).toBeUndefined();
    expect(told).toHaveLength(2);
    if (process.platform !== 'win32') expect(statSync(`${folder}.key`).mode & 0o777).toBe(0o600);
  });

  it('leaves nothing behind when the export fails', async () => {
    const folder = newFolder();
    await expect(compiledCache(folder).write('a', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the four networks that were used last, and removes what a killed process left', async () => {
    const folder = newFolder();
    const cache = compiledCache(folder);
    writeFileSync(join(folder, 'torn.tmp'), '');
    utimesSync(join(folder, 'torn.tmp'), 1, 1);
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) {
      await cache.write(key, write(key));
      const name = readdirSync(folder).find((candidate) => candidate.startsWith(`${key}-`))!;
      utimesSync(join(folder, name), 1000 + i, 1000 + i);
    }
    expect(textOf(await cache.read('a'))).toBe('a');
    await cache.write('e', write('e'));
    expect(
      readdirSync(folder)
        .map((name) => name[0])
        .sort(),
    ).toEqual(['a', 'c', 'd', 'e']);
  });
});

describe.skipIf(!hasOpenVino)(needsOpenVino('the openvino engine with its cache'), () => {
  afterEach(() => vi.unstubAllEnvs());

  const backbone = tinyBackbone([4, 0, 8]);
  const program = {
    backbone,
    weights: randomWeights(backbone, 1),
    contract: { ...kerasCaffe, size: 16 },
    outputs: [{ cut: 'conv2', pooling: 'flatten' }],
  } as const;

  async function features(given: Partial<typeof program> = {}, precision = 'fp32'): Promise<Float32Array> {
    const loaded = await (await engineNamed('openvino', { precision })).load({ ...program, ...given });
    const [found] = await loaded.run(randomPixels(3, 16, 2), 3);
    await loaded.dispose();
    return found!.data;
  }

  function useCache(folder: string): void {
    vi.stubEnv('OPENVINO_LIB_DIR', locateOpenVino()[0]!.folder);
    vi.stubEnv('PERMAFROST_CACHE', folder);
  }

  it('computes the same features from a cached network, also after the file was damaged', async () => {
    useCache(newFolder());
    const compiled = await features();
    const [name] = readdirSync(compiledFolder());
    const path = join(compiledFolder(), name!);
    const bytes = readFileSync(path);
    expect(await features()).toEqual(compiled);
    expect(readdirSync(compiledFolder())).toEqual([name]);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(await features()).toEqual(compiled);
  });

  it('keeps what OpenVINO reads in place, compiled or cached, when memory is collected', async () => {
    useCache(newFolder());
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const whole = {
      backbone: vgg16,
      weights: await loadWeights({ backbone: vgg16 }),
      contract: { ...kerasCaffe, size: 32 },
      outputs: [{ cut: 'block5_pool', pooling: 'flatten' }],
    } as const;
    const engine = await createEngine('openvino', { precision: 'fp32' });
    const found = [];
    for (let i = 0; i < 2; i++) {
      const loaded = await engine.load(whole);
      // Twice, with a pause: what is collected is given back to the system on another thread. Reading it then ends the
      // process.
      for (let round = 0; round < 2; round++) {
        collect();
        await sleep(100);
      }
      found.push((await loaded.run(randomPixels(1, 32, 3), 1))[0]!.data);
      await loaded.dispose();
    }
    expect(found[1]).toEqual(found[0]);
  });

  it('compiles anew what OpenVINO does not import', async () => {
    useCache(newFolder());
    const compiled = await features();
    const [name] = readdirSync(compiledFolder());
    const cache = compiledCache(compiledFolder());
    const key = name!.slice(0, name!.indexOf('-'));
    await cache.drop(key);
    await cache.write(key, write('no network'));
    expect(await features()).toEqual(compiled);
  });

  it('serves two extractors that start at once', async () => {
    useCache(newFolder());
    const [first, second] = await Promise.all([features(), features()]);
    expect(second).toEqual(first);
    expect(readdirSync(compiledFolder()).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(await features()).toEqual(first);
  });

  it('keeps networks of other weights, contracts and precisions apart', async () => {
    useCache(newFolder());
    const variants: readonly [Partial<typeof program>, string][] = [
      [{}, 'fp32'],
      [{ weights: randomWeights(backbone, 2) }, 'fp32'],
      [{ contract: { ...program.contract, scale: 2 } }, 'fp32'],
      [{}, 'bf16'],
    ];
    const first = [];
    for (const variant of variants) first.push(await features(...variant));
    expect(readdirSync(compiledFolder())).toHaveLength(4);
    for (const [i, variant] of variants.entries()) expect(await features(...variant)).toEqual(first[i]);
    expect(new Set(first.map((values) => values.join())).size).toBe(4);
  });

  it('works without a cache where the folder cannot be made', async () => {
    const file = join(newFolder(), 'file');
    writeFileSync(file, '');
    useCache(file);
    expect((await features()).length).toBeGreaterThan(0);
  });
});
