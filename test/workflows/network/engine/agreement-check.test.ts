import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEngine, type Engine, type Executable } from '../../../../src/extract/engines/index.ts';
import { vgg16 } from '../../../../src/extract/backbones/vgg.ts';
import type { Program } from '../../../../src/extract/program.ts';
import { agreementOf, loadChecked } from '../../../../src/workflows/network/engine/agreement-check.ts';
import { kerasCaffe } from '../../../support/contracts.ts';
import { calibratedProgram } from '../../../support/calibrated-program.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { randomPixels, randomWeights, slimmed } from '../../../support/tiny-backbone.ts';

const newFolder = temporaryFolders();
const slim = slimmed(vgg16, 16);
const program: Program = {
  backbone: slim,
  weights: randomWeights(slim, 1),
  contract: { ...kerasCaffe, size: 64 },
  outputs: [
    { cut: 'block5_pool', pooling: 'flatten' },
    { cut: 'block3_pool', pooling: 'avg' },
  ],
};

const winograd = (): Promise<Engine> => createEngine('onnxruntime-winograd', { leastFilters: 1 });

/** An engine that computes another network than it is given, as one with a broken kernel does. */
async function faulty(loaded: Executable[] = []): Promise<Engine> {
  const engine = await winograd();
  return {
    ...engine,
    async load(given) {
      const executable = await engine.load({ ...given, weights: randomWeights(slim, 2) });
      loaded.push(executable);
      return executable;
    },
  };
}

let cache = '';
const before = { ...process.env };
beforeEach(() => {
  cache = newFolder();
  process.env['PERMAFROST_CACHE'] = cache;
});
afterEach(() => {
  for (const name of ['PERMAFROST_CACHE', 'ONEDNN_MAX_CPU_ISA']) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
});

const kept = (): string[] => {
  const folder = join(cache, 'agreement');
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
};

describe('the check of an engine against ONNX Runtime in float32', () => {
  it('gives the executable of an engine that agrees, and keeps what it found', async () => {
    const executable = await loadChecked(await winograd(), program);
    const [features] = await executable.run(randomPixels(1, 64, 1), 1);
    expect(features!.data.some((value) => value > 0)).toBe(true);
    await executable.dispose();
    const [file] = kept();
    const { cosines, expected } = JSON.parse(readFileSync(file!, 'utf8')) as Record<string, Record<string, number>>;
    expect(Object.keys(cosines!)).toEqual(['block5_pool/flatten', 'block3_pool/avg']);
    for (const cosine of Object.values(cosines!)) expect(cosine).toBeGreaterThan(0.999999);
    expect(expected).toBe(0.9999);
  });

  it('refuses one that computes something else, with what was found and what to do, and frees it', async () => {
    process.env['ONEDNN_MAX_CPU_ISA'] = 'AVX2';
    const loaded: Executable[] = [];
    const refused = loadChecked(await faulty(loaded), program);
    await expect(refused).rejects.toMatchObject({ code: 'ENGINE_DISAGREES' });
    await expect(refused).rejects.toThrow(
      /onnxruntime-winograd .* in fp32 .* cosine of block\d_pool\/\w+ is -?0\.\d{4}, expected 0\.9999 or more.*Unset ONEDNN_MAX_CPU_ISA \(it is AVX2\), or take --engine onnxruntime\.$/,
    );
    await expect(loaded[0]!.run(randomPixels(1, 64, 1), 1)).rejects.toThrow('disposed');
    expect(kept()).toEqual([]);
  });

  it('refuses features that are not finite', async () => {
    const engine = await winograd();
    const overflowing: Engine = {
      ...engine,
      load: (given) => engine.load({ ...given, contract: { ...given.contract, scale: 1e38 } }),
    };
    await expect(loadChecked(overflowing, program)).rejects.toMatchObject({ code: 'ENGINE_DISAGREES' });
  });

  it('does not look again at what it has seen', async () => {
    await agreementOf(await winograd(), program);
    // It would be refused if it was looked at.
    const believed = await loadChecked(await faulty(), program);
    await believed.dispose();
    expect(kept()).toHaveLength(1);
  });

  it.each<[string, () => Promise<Program> | Program]>([
    ['weights', () => ({ ...program, weights: randomWeights(slim, 3) })],
    ['contracts', () => ({ ...program, contract: { ...program.contract, scale: 2 } })],
    ['outputs', () => ({ ...program, outputs: [{ cut: 'block4_pool', pooling: 'max' }] })],
    [
      'limits of the processor',
      () => {
        process.env['ONEDNN_MAX_CPU_ISA'] = 'AVX2';
        return program;
      },
    ],
  ])('looks again at other %s', async (_what, changed) => {
    await agreementOf(await winograd(), program);
    await expect(loadChecked(await faulty(), await changed())).rejects.toMatchObject({ code: 'ENGINE_DISAGREES' });
  });

  it.each(['', '{', '[]', '{"cosines":{}}', '{"cosines":{"block5_pool/flatten":0.5,"block3_pool/avg":1}}', 'null'])(
    'looks again where what was kept is %j',
    async (text) => {
      await agreementOf(await winograd(), program);
      const [file] = kept();
      const whole = readFileSync(file!, 'utf8');
      writeFileSync(file!, text);
      await expect(loadChecked(await faulty(), program)).rejects.toMatchObject({ code: 'ENGINE_DISAGREES' });
      await agreementOf(await winograd(), program);
      expect(readFileSync(file!, 'utf8')).toBe(whole);
    },
  );

  it('says so where nothing can be kept, and goes on', async () => {
    process.env['PERMAFROST_CACHE'] = '/dev/null/cache';
    const notes: string[] = [];
    const listener = { note: (text: string) => notes.push(text) };
    await (await loadChecked(await winograd(), program, { listener })).dispose();
    expect(notes).toEqual([expect.stringMatching(/onnxruntime-winograd\/cpu\/fp32 agrees .* checked at each start: /)]);
  });

  it('has nothing to check of ONNX Runtime in float32 on the CPU', async () => {
    expect(await agreementOf(await createEngine('onnxruntime'), program)).toBeUndefined();
    expect(kept()).toEqual([]);
  });

  it('compares int8 with the same steps of 8 bits in float32, by the calibration', async () => {
    const engine = await createEngine('onnxruntime', { precision: 'int8' });
    const calibrated = await calibratedProgram(program, randomPixels(4, 64, 1));
    const { cosines, expected } = (await agreementOf(engine, calibrated))!;
    expect(expected).toBe(0.98);
    expect(Math.min(...Object.values(cosines))).toBeGreaterThan(0.99);
    await agreementOf(engine, await calibratedProgram(program, randomPixels(4, 64, 2)));
    expect(kept()).toHaveLength(2);
  });
});
