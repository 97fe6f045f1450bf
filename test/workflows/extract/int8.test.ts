import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extract, neighbors, predict, train, type ExtractResult } from '../../../src/index.ts';
import { readSafetensors, writeSafetensors } from '../../../src/core/safetensors.ts';
import { readManifest } from '../../../src/store/format/manifest-file.ts';
import { rejection } from '../../support/errors.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { openMade, matricesOf } from '../../support/stores.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-int8-'));
const dataset = join(folder, 'Stripes');
const store = join(folder, 'store');
const calibrationFile = (): string => readdirSync(store).find((name) => name.startsWith('calibration-'))!;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// An early cut: what is tested is the way of a calibration through store and head, not the network.
const options = { store, cut: 'block2_pool', engine: 'onnxruntime', precision: 'int8' } as const;
const notes: string[] = [];
let first: ExtractResult;
beforeAll(async () => {
  await stripedDataset(dataset, 4, 2);
  first = await extract(dataset, options, { listener: { note: (text) => void notes.push(text) } });
});

describe('extract --precision int8', () => {
  it('calibrates on the training images, measures on the others, and tells and keeps what it found', async () => {
    expect(first).toMatchObject({ extracted: 12, engine: { precision: 'int8' } });
    const { images, min, mean } = first.cosineToFp32!;
    // 8 training images are calibrated on, all of them; 4 validation images are left to measure on.
    expect(images).toBe(4);
    expect(min).toBeGreaterThan(0.98);
    expect(min).toBeLessThan(1);
    expect(mean).toBeGreaterThanOrEqual(min);
    expect(notes.join('\n')).toMatch(
      /int8, calibrated on 8 training images; cosine to fp32, on 4 images .* least of these 0\.99/,
    );
    const [set] = (await readManifest(store)).sets;
    expect(set!.quantization).toMatchObject({
      calibration: { name: calibrationFile() },
      cosine: { images, min, mean },
    });
    expect(set!.settings).toMatchObject({ engineClass: 'onnxruntime/cpu/int8' });
    expect(calibrationFile()).toBe(`calibration-${set!.settings.calibration!.slice(0, 16)}.json`);
  });

  it('extends the same set with new images under the calibration of the store', async () => {
    const added = join(dataset, 'Train', 'down', 'new.png');
    await stripedDataset(join(folder, 'More'), 6, 0);
    copyFileSync(join(folder, 'More', 'Train', 'across', '5.png'), added);
    const again = await extract(dataset, options);
    rmSync(added);
    expect(again).toMatchObject({ extracted: 1, reused: 12, cosineToFp32: first.cosineToFp32 });
    expect((await readManifest(store)).sets).toHaveLength(1);
  });

  it('keeps features of float32 apart and says which field differs', async () => {
    const other = join(folder, 'both');
    await extract(dataset, { ...options, store: other, precision: 'fp32' });
    const [set] = (await readManifest(other)).sets;
    expect(Object.keys(set!)).not.toContain('quantization');
    expect(Object.keys(set!.settings)).not.toContain('calibration');
    const result = await extract(dataset, { ...options, store: other });
    expect(result.extracted).toBe(12);
    expect(result.extractedBecause).toContain('engineClass: "onnxruntime/cpu/int8", not "onnxruntime/cpu/fp32"');
    expect((await readManifest(other)).sets).toHaveLength(2);
  });

  it('refuses to lose more than was allowed, and keeps nothing then', async () => {
    const refusing = join(folder, 'refusing');
    const work = extract(dataset, { ...options, store: refusing, minCosine: 1 });
    const { message } = await rejection(work, 'PRECISION_LOSS');
    expect(message).toMatch(/least of these 0\.99\d\d, .* expected 1 or more\. Take --precision fp32/);
    expect((await readManifest(refusing)).sets).toEqual([]);
    expect(readdirSync(refusing)).toEqual(['manifest.json']);
    await rejection(extract(dataset, { ...options, minCosine: 1 }), 'PRECISION_LOSS');
  });

  it('refuses a precision that the engine does not have', async () => {
    await rejection(extract(dataset, { ...options, precision: 'bf16' }), 'OPTION_INVALID');
  });

  it('refuses to measure on nothing', async () => {
    const one = join(folder, 'One');
    await stripedDataset(one, 1, 0);
    rmSync(join(one, 'Train', 'down'), { recursive: true });
    const work = extract(one, { ...options, store: join(folder, 'one') });
    expect((await rejection(work, 'OPTION_INVALID')).message).toMatch(
      /measured on images that it was not calibrated on/,
    );
  });
});

describe('what was made in int8', () => {
  it('answers in int8: neighbors finds a stored image as its own nearest', async () => {
    const picture = join(dataset, 'Train', 'across', '2.png');
    const found = await neighbors(store, [picture], { k: 1 });
    expect(found.queries[0]!.neighbors[0]).toMatchObject({ path: 'Train/across/2.png' });
    // Under another calibration or in float32 the distance would be 1e-4 or more.
    expect(found.queries[0]!.neighbors[0]!.distance).toBeLessThan(1e-6);
  });

  it('a head carries the calibration: it predicts the same where its store has gone', async () => {
    const { file } = await train(store, { head: 'logistic', out: join(folder, 'head.safetensors') });
    const pictures = ['across', 'down'].map((label) => join(dataset, 'Val', label, '0.png'));
    const before = await predict(file!, pictures, { neighbors: 0 });
    expect(before.engine).toMatchObject({ name: 'onnxruntime', precision: 'int8' });
    const [across, down] = before.predictions;
    expect(across!.probability).not.toBe(down!.probability);
    renameSync(store, `${store}-gone`);
    const after = await predict(file!, pictures, { neighbors: 0 });
    renameSync(`${store}-gone`, store);
    expect(after.predictions).toEqual(before.predictions);
  });

  it('a head whose calibration was changed or lost is refused', async () => {
    const path = join(folder, 'head.safetensors');
    const { metadata, tensors } = readSafetensors(readFileSync(path), { name: path, code: 'HEAD_CORRUPT' });
    const document = JSON.parse(metadata.permafrost!) as { calibration?: { method: string } };
    const changed = { ...document, calibration: { ...document.calibration, method: 'guessed' } };
    const lost = { ...document, calibration: undefined };
    for (const bad of [changed, lost]) {
      writeFileSync(path, writeSafetensors(tensors, { permafrost: JSON.stringify(bad) }));
      await rejection(predict(path, [join(dataset, 'Val', 'down', '0.png')]), 'HEAD_CORRUPT');
    }
  });

  it('a calibration file that was changed is found out', async () => {
    const path = join(store, calibrationFile());
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"max": (\d)/, '"max": 9$1'));
    const { message } = await rejection(extract(dataset, options), 'STORE_CORRUPT');
    expect(message).toContain(calibrationFile());
    writeFileSync(path, text);
  });
});

describe('int8 at several cuts', () => {
  it('has at each cut the calibration, the fingerprint and the bytes of that cut extracted alone', async () => {
    const [several, alone] = [join(folder, 'several'), join(folder, 'alone')];
    const batch = 1;
    const result = await extract(dataset, {
      ...options,
      batch,
      store: several,
      cut: 'block1_pool:max,block2_pool:avg',
    });
    expect(result.cut).toBe('block2_pool:avg,block1_pool:max');
    for (const [cut, pooling] of [
      ['block1_pool', 'max'],
      ['block2_pool', 'avg'],
    ] as const) {
      // The shallower first: each calibrates on its own, since no deeper calibration is there.
      await extract(dataset, { ...options, batch, store: alone, cut: `${cut}:${pooling}` });
      const [one, other] = [await readManifest(several), await readManifest(alone)];
      const of = ({ sets }: typeof one) => sets.find(({ settings }) => settings.cut === cut)!;
      expect(of(one).fingerprint).toBe(of(other).fingerprint);
      expect(Object.keys(of(one).quantization!.cosine)).toEqual(['images', 'min', 'mean']);
      const load = async (where: string, manifest: typeof one) =>
        (await matricesOf(openMade({ store: where, manifest }), [{ cut, pooling }], ['train', 'val'])).get('val')!.X;
      expect(await load(several, one)).toEqual(await load(alone, other));
    }
  });
});
