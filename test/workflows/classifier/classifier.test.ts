import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answered } from '../../../src/results/answer-results.ts';
import { extract, openClassifier, predict, train, type Classifier } from '../../../src/index.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
let classifier: Classifier;
let dataset: string;
let head: string;
const picture = (name = 'Val/down/0.png'): string => join(dataset, name);

beforeAll(async () => {
  const root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 3, 1);
  const store = join(root, 'store');
  await extract(dataset, { store, cut: 'block2_pool', engine: 'onnxruntime' });
  head = (await train(store, { head: 'centroid', pooling: 'avg' })).file!;
  classifier = await openClassifier(store);
});
afterAll(async () => {
  await classifier.close();
});

describe('a classifier', () => {
  it('says what it is: the head of the store, its classes, what runs before it', () => {
    expect(classifier.facts).toMatchObject({ file: head, head: 'centroid', pooling: 'avg', cut: 'block2_pool' });
    expect(classifier.facts.classes).toContain('down');
    expect(classifier.facts.engine).toMatchObject({ name: 'onnxruntime', precision: 'fp32' });
  });

  it('answers for a path, the bytes of the file and its pixels alike, as predict does', async () => {
    const { predictions } = await predict(head, [picture()], { neighbors: 2 });
    const { path, ...expected } = predictions[0] as Answered;
    expect(path).toBe(picture());
    const bytes = readFileSync(picture());
    const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const pixels = { data, width: info.width, height: info.height, channels: info.channels as 3 };
    for (const image of [picture(), bytes, pixels])
      expect(await classifier.predict(image, { neighbors: 2 })).toEqual(expected);
    expect(expected.neighbors.map(({ label }) => label)[0]).toBe('down');
  });

  it('gives failures beside answers, each at its place', async () => {
    const many = [picture(), 'nowhere.png', new Uint8Array(5), picture('Val/down/0.png')];
    const found = await classifier.predict(many);
    expect(found).toMatchObject([
      { label: 'down', neighbors: [] },
      { path: 'nowhere.png', code: 'IMAGE_UNREADABLE' },
      { path: 'images[2]', code: 'IMAGE_UNDECODABLE' },
      { label: 'down' },
    ]);
    await rejection(classifier.predict('nowhere.png'), 'IMAGE_UNREADABLE');
  });
});
