import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { matrixRows } from '../../../src/core/rows.ts';
import * as metrics from '../../../src/classify/evaluate/metrics.ts';
import { logisticHead } from '../../../src/classify/heads/logistic.ts';
import { unitRows } from '../../../src/classify/normalize.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { loadWeights } from '../../../src/extract/weights/load-weights.ts';
import { openStore, type Store } from '../../../src/store/open.ts';
import { extract } from '../../../src/workflows/extract/extract.ts';
import { finetune } from '../../../src/workflows/finetune/finetune.ts';
import type { ErrorCode } from '../../../src/core/errors.ts';
import type { FinetuneOptions } from '../../../src/workflows/finetune/options.ts';
import { openTail } from '../../../src/workflows/network/tail.ts';
import { openHead } from '../../../src/workflows/train/files/head-files.ts';
import { emojiDataset } from '../../support/emoji-dataset.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const FROM = 'block5_conv3';
/** The last convolution alone, on a few pictures: seconds, and all that there is happens. */
const QUICK: Partial<FinetuneOptions> = {
  from: FROM,
  rates: '3e-5,1e-9',
  epochs: 2,
  batch: 8,
  memory: '2GB',
  features: false,
};

let extracted: string;
beforeAll(async () => {
  const dataset = await emojiDataset(join(folder(), 'emoji'), ['food', 'fruit', 'plant'], 6);
  extracted = join(folder(), 'store');
  const engine = { engine: 'onnxruntime', precision: 'fp32' } as const;
  await extract(dataset, { store: extracted, cut: 'block5_pool:avg,block5_conv2', ...engine });
}, 240_000);

/** A store of its own for a test, as extraction left it. */
function copied(): string {
  const store = join(folder(), 'store');
  cpSync(extracted, store, { recursive: true });
  return store;
}

/** Pooled features of a split by the layers behind the cut, run by themselves. */
async function pooledOf(store: Store, split: 'train' | 'val') {
  const rows = await store.rows({
    parts: [{ cut: 'block5_conv2', pooling: 'flatten' }],
    splits: [split],
    memory: 'matrix',
  });
  const tail = await openTail(vgg16, await loadWeights({ backbone: vgg16 }), { from: FROM }, 224, ['avg']);
  const [X] = await tail.run(rows.matrix);
  await tail.dispose();
  return { X: unitRows(X!), labels: rows.labels };
}

describe('finetune', () => {
  it('begins with the exact frozen head, chooses on the held-out part, and keeps a tuned network', async () => {
    const path = copied();
    const result = await finetune(path, QUICK);
    expect(result).toMatchObject({ cut: 'block5_conv2', trained: 36, validated: 18, microBatch: 8, resumedEpochs: 0 });
    expect(result.trials.map(({ rate, epochs }) => [rate, epochs.length])).toEqual([
      [3e-5, 3],
      [1e-9, 3],
    ]);
    // Epoch 0 of the refit is the logistic head that is fitted here on its own, to the last printed digit.
    const store = await openStore(path);
    const [train, val] = [await pooledOf(store, 'train'), await pooledOf(store, 'val')];
    const head = await logisticHead({ C: result.C! }).fit(matrixRows(train.X), train.labels);
    const truth = Int32Array.from(val.labels, (label) => head.classes.indexOf(label));
    const P = await head.predictProba(val.X);
    expect(result.frozen!.accuracy).toBe(metrics.accuracy(truth, metrics.topClass(P)));
    expect(result.frozen!.logLoss).toBeCloseTo(metrics.logLoss(truth, P), 5);
    expect(result.refit[0]!.val).toEqual({ accuracy: result.frozen!.accuracy, logLoss: result.frozen!.logLoss });

    // What was chosen is the least of what was held out, whatever Val said.
    const held = result.trials.flatMap(({ epochs }) => epochs.map(({ heldOut }) => heldOut!.logLoss));
    const { kept, rate, epochs } = result.choice;
    expect(kept).toBe('tuned');
    const chosen = result.trials.find((trial) => trial.rate === rate)!.epochs[epochs]!;
    expect(chosen.heldOut!.logLoss).toBe(Math.min(...held));
    expect(result.refit).toHaveLength(1 + epochs);
    expect(result.tuned!.logLoss).toBe(result.refit.at(-1)!.val.logLoss);
    // 1 start and 4 epochs of the search, the frozen head and the epochs of the refit.
    expect(result.looks!.heads).toBe(6 + epochs);

    // The file answers as the network did.
    const tuned = await openHead(result.file);
    expect(tuned.document.params).toMatchObject({ rate, seed: 1 });
    expect(existsSync(join(path, 'finetune')) ? readdirSync(join(path, 'finetune')) : []).toEqual([]);
  }, 240_000);

  it.each([
    ['the search', { rates: '3e-5' }, 'rate 3e-5, epoch 2', /Kept the best network of the search|No network beat/],
    [
      'training on all of Train',
      { recipe: 'report-2020', rates: '1e-5' },
      'all of Train, rate 1e-5, epoch 2',
      /Kept the network after 1 epoch on all of Train: .*\.safetensors\. .*run the same command/,
    ],
  ] as [string, Partial<FinetuneOptions>, string, RegExp][])(
    'interrupted in %s it goes on to the same bytes as without',
    async (_, options, stage, told) => {
      const whole = await finetune(copied(), { ...QUICK, ...options });
      const path = copied();
      const controller = new AbortController();
      const listener = {
        progress: (state: { readonly stage: string }) => {
          if (state.stage.startsWith(stage)) controller.abort();
        },
      };
      const stopped = finetune(path, { ...QUICK, ...options }, { signal: controller.signal, listener });
      expect((await rejection(stopped, 'INTERRUPTED')).message).toMatch(told);
      const resumed = await finetune(path, { ...QUICK, ...options });
      expect(resumed.resumedEpochs).toBe(1);
      const figures = ({ trials, refit }: typeof whole): unknown =>
        [...trials, { epochs: refit }].map(({ epochs }) => epochs.map((epoch) => ({ ...epoch, seconds: 0 })));
      expect(figures(resumed)).toEqual(figures(whole));
      expect(readFileSync(resumed.file).equals(readFileSync(whole.file))).toBe(true);
    },
    300_000,
  );

  it('keeps the frozen head where nothing beats it, as a head that needs no layers', async () => {
    const result = await finetune(copied(), { ...QUICK, rates: '1e-12', headRate: 1e-12, epochs: 1 });
    expect(result.choice).toMatchObject({ kept: 'frozen' });
    expect(result.choice.reason).toMatch(/^The frozen head is kept/);
    expect(result).toMatchObject({ tuned: null, comparison: null, refit: [] });
    const { head, tuned } = await openHead(result.file);
    expect(head).toMatchObject({ name: 'logistic', params: { C: result.C } });
    expect(tuned).toBeUndefined();
  }, 240_000);

  it('adds the gradients of several runs up to one step', async () => {
    const options = { ...QUICK, recipe: 'report-2020', rates: '1e-5', epochs: 1 } as const;
    const [whole, parts] = [await finetune(copied(), options), await finetune(copied(), { ...options, microBatch: 3 })];
    expect([whole.microBatch, parts.microBatch]).toEqual([8, 3]);
    expect(whole).toMatchObject({ C: null, frozen: null, trials: [], choice: { kept: 'tuned', epochs: 1 } });
    expect(parts.tuned!.logLoss).toBeCloseTo(whole.tuned!.logLoss, 3);
    expect(parts.refit[1]!.train!.logLoss).toBeCloseTo(whole.refit[1]!.train!.logLoss, 4);
  }, 240_000);

  it.each([
    [{ from: 'block5_conv4' }, /no cut layer "block5_conv4" \(did you mean "block5_conv/],
    [{ from: 'block5_pool' }, /must be a convolution/],
    [{ rates: '1e-4,zero' }, /rates must be different numbers above 0/],
    [{ recipe: 'report-2020', rates: '1e-4,3e-5' }, /takes one rate, got 2/],
    [{ device: 'coreml', engine: 'onnxruntime' }, /coreml/, 'ENGINE_UNAVAILABLE'],
    [{ memory: '100MB' }, /memory is 0\.10 GB, and training one image at a time takes/],
  ] as [Partial<FinetuneOptions>, RegExp, ErrorCode?][])(
    'refuses %j before any work',
    async (options, message, code = 'OPTION_INVALID') => {
      const { message: found } = await rejection(finetune(extracted, options), code);
      expect(found).toMatch(message);
    },
  );
});
