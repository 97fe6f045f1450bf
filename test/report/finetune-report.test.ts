import { describe, expect, it } from 'vitest';
import { finetuneText } from '../../src/report/finetune-report.ts';
import type { FinetuneEpoch, FinetuneResult } from '../../src/results/finetune-result.ts';

const val = { accuracy: 0.9, logLoss: 0.3 };
const zero: FinetuneEpoch = {
  epoch: 0,
  heldOut: { accuracy: 0.8, logLoss: 0.4, gain: 0, gainError: 0 },
  val,
  seconds: 0,
};
const one: FinetuneEpoch = {
  epoch: 1,
  train: { accuracy: 0.95, logLoss: 0.2 },
  heldOut: { accuracy: 0.85, logLoss: 0.35, gain: 0.05, gainError: 0.01 },
  val: { accuracy: 0.92, logLoss: 0.25 },
  seconds: 12.3,
};
const RESULT: FinetuneResult = {
  store: '/s',
  from: 'block5_conv1',
  cut: 'block4_pool',
  recipe: 'warm-start',
  engine: { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '1.30.0' },
  classes: ['ant', 'bee'],
  trained: 100,
  heldOut: 20,
  views: 0,
  validated: 50,
  validatedOn: 'val',
  parameters: 7_080_000,
  batch: 32,
  microBatch: 32,
  C: 10,
  trials: [{ rate: 1e-4, epochs: [zero, one] }],
  choice: { kept: 'tuned', rate: 1e-4, epochs: 1, reason: 'Fine-tuned: because.' },
  refit: [
    { epoch: 0, val, seconds: 0 },
    { epoch: 1, train: { accuracy: 0.96, logLoss: 0.15 }, val: { accuracy: 0.94, logLoss: 0.2 }, seconds: 15 },
  ],
  frozen: { ...val, interval: [0.79, 0.96] },
  tuned: { accuracy: 0.94, logLoss: 0.2, interval: [0.84, 0.98] },
  comparison: {
    difference: 0.04,
    interval: [-0.02, 0.1],
    accuracy: { onlyFirst: 3, onlySecond: 1, pValue: 0.625 },
    logLossPValue: 0.03,
  },
  options: {},
  resumedEpochs: 0,
  seconds: { extract: 0, start: 2, search: 40, refit: 20, keep: 1 },
  secondsPerEpoch: 15,
  peakBytes: 1.5 * 2 ** 30,
  file: '/s/heads/tuned.safetensors',
};

describe('finetuneText', () => {
  it('shows every epoch, what chose and what only watched, and both networks on Val', () => {
    const lines = finetuneText(RESULT).split('\n');
    expect(lines[0]).toBe(
      'block5_conv1 and all behind it, 7.1 million numbers, trained on the stored activations of block4_pool by onnxruntime 1.30.0 on cpu (fp32), 32 images a step.',
    );
    expect(lines[1]).toBe('Begun with the exact frozen head: logistic, C = 10 by cross-validated log loss on Train.');
    const rows = lines.filter((line) => /^(four fifths|all of Train)/.test(line)).map((line) => line.split(/\s{2,}/));
    expect(rows).toEqual([
      ['four fifths, rate 1e-4', '0', '-', '-', '0.8000', '0.4000', '0.9000', '0.3000', '-'],
      ['four fifths, rate 1e-4', '1', '0.9500', '0.2000', '0.8500', '0.3500', '0.9200', '0.2500', '12.3 s'],
      ['all of Train', '0', '-', '-', '-', '-', '0.9000', '0.3000', '-'],
      ['all of Train', '1', '0.9600', '0.1500', '-', '-', '0.9400', '0.2000', '15.0 s'],
    ]);
    expect(lines).toContain(
      'Chosen on 20 of 100 training images that the search held out; val was watched and chose nothing.',
    );
    expect(lines).toContain('Frozen head on 50 val images: accuracy 0.9000 (0.7900 .. 0.9600), log loss 0.3000.');
    expect(lines).toContain('Fine-tuned network: accuracy 0.9400 (0.8400 .. 0.9800), log loss 0.2000.');
    expect(lines).toContain(
      'Tuned beside frozen: accuracy +0.0400 (95 % interval -0.0200 to +0.1000; 3 right when tuned alone, 1 when frozen alone, McNemar p 0.625): no difference in accuracy can be told. Log loss: paired t test p 0.030.',
    );
  });

  it('says plainly that the frozen head is kept', () => {
    const kept = { ...RESULT, choice: { ...RESULT.choice, kept: 'frozen', reason: 'The frozen head is kept: why.' } };
    const text = finetuneText({ ...(kept as FinetuneResult), refit: [], tuned: null, comparison: null });
    expect(text).toContain('\nThe frozen head is kept: why.\n');
    expect(text).not.toMatch(/Fine-tuned network|Tuned beside frozen|all of Train  /);
    expect(text).toMatch(/Saved as \/s\/heads\/tuned\.safetensors, the frozen head; use it with/);
  });

  it('tells of pixels, a cold start, parts of a step, and what was known before', () => {
    const text = finetuneText({
      ...RESULT,
      cut: null,
      C: null,
      frozen: null,
      comparison: null,
      trials: [],
      heldOut: 0,
      microBatch: 4,
      resumedEpochs: 3,
      leftOut: 2,
    });
    expect(text).toMatch(/trained on pixels by .* 32 images a step in runs of 4\./);
    expect(text).toMatch(/Begun with random weights of the dense layer\./);
    expect(text).toMatch(/3 epochs known from an interrupted fine-tuning\./);
    expect(text).toMatch(/Fine-tuned network on 50 val images: accuracy 0\.9400/);
    expect(text).toMatch(/2 more val images are copies of training images/);
    expect(text).not.toMatch(/held out/);
  });
});
