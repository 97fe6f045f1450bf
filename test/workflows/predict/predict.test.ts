import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../../src/results/answer-results.ts';
import type { HeadResult } from '../../../src/results/head-result.ts';
import { extract, neighbors, predict, train, type PredictOptions } from '../../../src/index.ts';
import { fingerprintOf, type FeatureSettings } from '../../../src/store/format/fingerprint.ts';
import { readHead, writeHead } from '../../../src/store/read/heads/head-file.ts';
import { readManifest, writeManifest } from '../../../src/store/format/manifest-file.ts';
import { rejection, textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { sha256Of } from '../../support/stored-rows.ts';

const folder = temporaryFolders();
let root: string;
let picture: string;
let head: HeadResult;
const store = (): string => join(root, 'store');

beforeAll(async () => {
  root = folder();
  const dataset = await stripedDataset(join(root, 'Stripes'), 3, 1);
  picture = join(dataset, 'Val/down/0.png');
  await extract(dataset, { store: store(), cut: 'block2_pool', engine: 'onnxruntime' });
  head = await train(store(), { head: 'centroid', pooling: 'avg' });
});

/** A copy of the head that claims to be trained on features of these settings. */
async function headOf(changed: Partial<FeatureSettings>): Promise<string> {
  const { document, tensors } = await readHead(head.file!);
  const file = join(folder(), 'head.safetensors');
  const settings = { ...document.settings, ...changed } as typeof document.settings;
  await writeHead(file, { ...document, settings, trained: { images: 6, store: store() } }, tensors);
  return file;
}

/** Runs `work` while the store says that its features were made under these settings. */
async function withSettings(changed: Partial<FeatureSettings>, work: () => Promise<void>): Promise<void> {
  const before = await readManifest(store());
  const manifest = structuredClone(before);
  const set = manifest.sets[0]!;
  Object.assign(set.settings, changed);
  set.fingerprint = manifest.dataset.sets[0]!.fingerprint = fingerprintOf(set.settings);
  await writeManifest({ path: store(), manifest });
  try {
    await work();
  } finally {
    await writeManifest({ path: store(), manifest: before });
  }
}

/** The answer for the picture, and what was remarked on the way. */
async function predicted(
  file: string,
  options: Partial<PredictOptions> = {},
): Promise<{ result: PredictResult; notes: string[] }> {
  const notes: string[] = [];
  const result = await predict(file, [picture], options, { listener: { note: (text) => notes.push(text) } });
  return { result, notes };
}

describe('predict', () => {
  it('runs the very engine class that the head was trained on, and says so', async () => {
    const { result, notes } = await predicted(head.file!);
    expect(notes).toEqual([
      textWith(/^Engine: onnxruntime \S+ on cpu, fp32 \(it made the features that are compared\)\.$/),
    ]);
    expect(result.engine).toMatchObject({ name: 'onnxruntime', device: 'cpu', precision: 'fp32' });
    expect(result.predictions).toMatchObject([{ path: picture, label: 'down' }]);
    expect(result.predictions[0]!.neighbors.map(({ label }) => label)[0]).toBe('down');
  });

  it('says nothing of a choice where the engine was named', async () => {
    const { notes } = await predicted(head.file!, { engine: 'onnxruntime', neighbors: 0 });
    expect(notes).toEqual([]);
  });

  it.each([
    ['that this permafrost does not know', 'abacus/beads/fp32', /There is no engine "abacus"/],
    ['on a device that is not there', 'onnxruntime/abacus/fp32', /device must be .*got "abacus"/],
    ['in a precision that it does not have', 'onnxruntime/cpu/fp7', /precision must be .*got "fp7"/],
  ])('of a head of an engine %s fails before any work and names the class', async (_, engineClass, reason) => {
    const { message } = await rejection(
      predict(await headOf({ engineClass }), [picture], { allowEngine: 'none' }),
      'ENGINE_UNAVAILABLE',
    );
    expect(message).toContain(`made by the engine class ${engineClass}, which is not available here: `);
    expect(message).toMatch(reason);
    expect(message).toMatch(/extract again with one of the engines onnxruntime.* and train the head anew\.$/);
  });

  it('refuses another engine than the one that the head was trained on, naming the field', async () => {
    const file = await headOf({ engineClass: 'abacus/beads/fp32' });
    const { message } = await rejection(
      predict(file, [picture], { engine: 'onnxruntime', allowEngine: 'none' }),
      'FINGERPRINT_MISMATCH',
    );
    expect(message).toContain('engineClass: "onnxruntime/cpu/fp32", not "abacus/beads/fp32"');
  });

  it('refuses other weights than those that the head was trained on, naming the field', async () => {
    const file = await headOf({ weights: sha256Of('others') });
    const { message } = await rejection(predict(file, [picture]), 'FINGERPRINT_MISMATCH');
    expect(message).toMatch(/does not fit: weights: "[0-9a-f]{64}", not "[0-9a-f]{64}"\./);
  });

  it.each([
    ['weights', { weights: sha256Of('others') }],
    ['engineClass', { engineClass: 'abacus/beads/fp32' }],
  ])(
    'shows no nearest images of a store whose features have another %s, and names the field',
    async (field, changed) => {
      await withSettings(changed, async () => {
        const { result, notes } = await predicted(head.file!);
        expect(notes[1]).toMatch(new RegExp(`other settings than the head's \\(${field}: .*\\): no nearest images`));
        expect(result.predictions).toMatchObject([{ label: 'down', neighbors: [] }]);
      });
    },
  );

  it('answers without its store, and says that it shows no nearest images', async () => {
    const file = await headOf({});
    const { document, tensors } = await readHead(file);
    for (const gone of ['nowhere', '.']) {
      await writeHead(file, { ...document, trained: { images: 6, store: gone } }, tensors);
      const { result, notes } = await predicted(file);
      expect(notes[1]).toMatch(/^The store that the head was trained on is not at .*: no nearest images are shown\.$/);
      expect(result.predictions).toMatchObject([{ label: 'down', neighbors: [] }]);
    }
  });

  it('takes the same picture twice, a copy of it, and no picture at all', async () => {
    const copy = join(folder(), 'copy.png');
    copyFileSync(picture, copy);
    const { predictions, failed } = await predict(head.file!, [picture, copy, picture], { neighbors: 1 });
    expect(failed).toEqual([]);
    expect(predictions.map(({ path }) => path)).toEqual([picture, copy, picture]);
    for (const answer of predictions) expect({ ...answer, path: picture }).toEqual(predictions[0]);
    expect(await predict(head.file!, [])).toMatchObject({ predictions: [], failed: [] });
  });

  it('of a head that is no head says so before any work', async () => {
    await rejection(predict(picture, [picture]), 'HEAD_CORRUPT');
  });
});

describe('neighbors', () => {
  it('runs the engine class that the store was made with, and fails naming it where it is not available', async () => {
    const notes: string[] = [];
    await neighbors(store(), [picture], {}, { listener: { note: (text) => notes.push(text) } });
    expect(notes).toEqual([textWith('it made the features that are compared')]);
    await withSettings({ engineClass: 'abacus/beads/fp32' }, async () => {
      const { message } = await rejection(neighbors(store(), [picture], { allowEngine: 'none' }), 'ENGINE_UNAVAILABLE');
      expect(message).toContain('abacus/beads/fp32, which is not available here');
    });
  });
});
