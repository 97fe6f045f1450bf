import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import type { Contract } from '../../../../src/core/contract.ts';
import { cosine, row } from '../../../../src/core/matrix.ts';
import { vgg16 } from '../../../../src/extract/backbones/vgg.ts';
import { CONTRACTS } from '../../../../src/extract/contract.ts';
import { createTrainer } from '../../../../src/extract/engines/trainers.ts';
import { VIEW_DEFAULTS } from '../../../../src/extract/image/view-parameters.ts';
import { loadWeights } from '../../../../src/extract/weights/load-weights.ts';
import { openStore } from '../../../../src/store/open.ts';
import type { StoredSample } from '../../../../src/store/format/shard.ts';
import { extract } from '../../../../src/workflows/extract/extract.ts';
import { ask } from '../../../../src/workflows/finetune/training/loaded-tail.ts';
import { pixelInputs, type PixelSource } from '../../../../src/workflows/finetune/training/pixel-inputs.ts';
import { randomHead, startArrays } from '../../../../src/workflows/finetune/training/start.ts';
import { stepMeter } from '../../../../src/workflows/finetune/training/step-meter.ts';
import { programOf, tailFrom } from '../../../../src/workflows/finetune/training/tail.ts';
import { emojiDataset } from '../../../support/emoji-dataset.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';

const folder = temporaryFolders();
let dataset: string;
let store: string;
let samples: readonly StoredSample[];
let source: PixelSource;
beforeAll(async () => {
  dataset = await emojiDataset(join(folder(), 'emoji'), ['food', 'fruit'], 1);
  store = join(folder(), 'store');
  await extract(dataset, { store, cut: 'block5_pool:avg', engine: 'onnxruntime', precision: 'fp32' });
  samples = [...(await (await openStore(store)).samples())].filter(({ split }) => split === 'train');
  const views = { plan: VIEW_DEFAULTS, seed: 1 };
  source = { folder: join(folder(), 'finetune'), root: dataset, contract: CONTRACTS.vgg16, bound: 1e9, views };
}, 240_000);

it('gives the network what extraction gave it: the same pooled features come out', async () => {
  const { lists, dispose } = await pixelInputs(source, [samples], {});
  const tail = tailFrom(vgg16, 'block1_conv1', 224);
  const head = { pooling: 'avg', norm: 'l2', classes: 2 } as const;
  const program = programOf(tail, head, 2);
  const answers = await (await createTrainer('onnxruntime')).loadAnswers(program);
  const arrays = startArrays(tail, await loadWeights({ backbone: vgg16 }), randomHead(tail, head, 1));
  const loaded = { program, answers, meter: stepMeter(), signal: undefined };
  const { features } = await ask(loaded, arrays, lists[0]!, [0, 1, 2], 'features');
  const opened = await openStore(store);
  const { matrix: X } = await opened.rows({ parts: 'avg', splits: ['train'], memory: 'matrix' });
  for (const i of [0, 1, 2]) expect(cosine(row(features, i), row(X, i))).toBeGreaterThan(0.999999);
  expect(cosine(row(features, 0), row(X, 1))).toBeLessThan(0.99);
  await answers.dispose();
  await dispose();
}, 240_000);

it('gives the same from a file as from memory, in views too, and leaves no file', async () => {
  const held = await pixelInputs(source, [samples.slice(1), samples], {});
  const filed = await pixelInputs({ ...source, bound: 0 }, [samples.slice(1), samples], {});
  const picks = [
    { image: 2, view: 0 },
    { image: 0, view: 0 },
    { image: 1, view: 1 },
  ];
  const [a, b, other] = [0, 1, 2].map(() => new Float32Array(3 * held.lists[0]!.width)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  await held.lists[0]!.read(picks, a);
  await filed.lists[0]!.read(picks, b);
  expect(b).toEqual(a);
  // The same images by their numbers in the other list; the view differs from the image itself.
  await filed.lists[1]!.read(
    picks.map(({ image, view }) => ({ image: image + 1, view })),
    other,
  );
  expect(other).toEqual(a);
  await held.lists[0]!.read([...picks.slice(0, 2), { image: 1, view: 0 }], other);
  expect(other).not.toEqual(a);
  await held.dispose();
  await filed.dispose();
  expect(readdirSync(source.folder)).toEqual([]);
});

it.each(['RGB', 'BGR'] as const)('gives each channel its own mean and scale, in the order %s', async (channelOrder) => {
  const contract = { ...CONTRACTS.vgg16, channelOrder, mean: [10, 20, 30], scale: [1, 2, 3] } as const;
  const plain = { ...contract, channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 } as const;
  const read = async (of: Contract): Promise<Float32Array> => {
    const { lists, dispose } = await pixelInputs({ ...source, contract: of }, [samples.slice(0, 1)], {});
    const out = new Float32Array(lists[0]!.width);
    await lists[0]!.read([{ image: 0, view: 0 }], out);
    await dispose();
    return out;
  };
  const pixels = await read(plain);
  const from = channelOrder === 'RGB' ? [0, 1, 2] : [2, 1, 0];
  const expected = pixels.map(
    (_, i) => (pixels[i - (i % 3) + from[i % 3]!]! - contract.mean[i % 3]!) * contract.scale[i % 3]!,
  );
  expect(await read(contract)).toEqual(expected);
});

it('refuses a file that changed since it was extracted', async () => {
  appendFileSync(join(dataset, samples[1]!.path), 'more');
  const { message } = await rejection(pixelInputs(source, [samples], {}), 'IMAGE_UNREADABLE');
  expect(message).toMatch(/changed since its features were extracted/);
});
