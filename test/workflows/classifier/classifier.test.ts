import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answered } from '../../../src/results/answer-results.ts';
import { extract, openClassifier, predict, train, type Classifier } from '../../../src/index.ts';
import { pictures, tinyHead } from '../../support/tiny-head.ts';
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

describe('a classifier of a small network', () => {
  let head: string;
  let images: string[];
  beforeAll(async () => {
    head = (await tinyHead(folder())).file;
    images = await pictures(folder(), ['a.png', 'b.png', 'c.png', 'd.png']);
  });

  it('reads images as answers are taken, and gives them in their order', async () => {
    const small = await openClassifier(head);
    let [taken, given, most] = [0, 0, 0];
    function* endless(): Generator<string> {
      for (;;) yield images[taken++ % images.length]!;
    }
    const alone = await Promise.all(images.map((image) => small.predict(image)));
    for await (const one of small.stream(endless())) {
      expect(one).toMatchObject({ path: images[given % images.length], label: alone[given % images.length]!.label });
      most = Math.max(most, taken - ++given);
      if (given === 400) break;
    }
    // In the network, waiting for it, being decoded, and those that are answered at once.
    expect(most).toBeLessThanOrEqual(4 * 8);
    await small.close();
  });

  it('answers what waits when it is closed, refuses what comes, and ends its streams', async () => {
    const small = await openClassifier(head);
    const stream = small.stream(Array.from({ length: 1000 }, (_, i) => images[i % images.length]!));
    expect((await stream.next()).value).toMatchObject({ path: images[0] });
    const calls = [...images, ...images, ...images].map((image) => small.predict(image));
    const many = small.predict(images, { neighbors: 1 });
    const closed = small.close();
    await rejection(small.predict(images[0]!), 'OPTION_INVALID');
    expect((await Promise.all(calls)).map(({ label }) => label)).toHaveLength(12);
    expect(await many).toMatchObject(images.map(() => ({ neighbors: [{ split: 'train' }] })));
    const rest = async (): Promise<void> => {
      while ((await stream.next()).done !== true);
    };
    await rejection(rest(), 'OPTION_INVALID');
    await closed;
    await small.close();
  });

  it('ends a call by its signal, and goes on with the others', async () => {
    const small = await openClassifier(head);
    const ended = new AbortController();
    const call = small.predict(images[0]!, { signal: ended.signal });
    ended.abort();
    await rejection(call, 'INTERRUPTED');
    await rejection(small.predict(images, { signal: ended.signal }), 'INTERRUPTED');
    expect(await small.predict(images[1]!)).toMatchObject({ neighbors: [] });
    await small.close();
  });
});
