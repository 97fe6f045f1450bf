import { describe, expect, it } from 'vitest';
import {
  choiceText,
  confusionText,
  headsText,
  learningCurveText,
  runText,
  trainText,
} from '../../src/report/run-report.ts';
import { headResult, ODD_NAME, ODD_SHOWN, runResult } from '../support/results.ts';

const CURVE = { loss: [0.7, 0.31234, 0.1], accuracy: [0.5, 0.75, 1] };

const CROSS_VALIDATED = {
  accuracy: 0.5,
  interval: [0.2, 0.8],
  logLoss: 0.6,
  images: 8,
  folds: 5,
  ofFolds: 5,
} as const;

describe('what a best head was chosen by', () => {
  it('is said: figures that had no part in the choice, or that are too high, and by which reason', () => {
    const heads = [headResult({ crossValidated: CROSS_VALIDATED }), headResult()];
    expect(choiceText({ heads, choice: { by: 'crossValidation', reason: null } })).toBe(
      'It was chosen among 2 by cross-validation on 8 training images (0.5000, a little too high as the best of them). Its accuracy 0.6667 (95 % interval 0.2077 .. 0.9385) on 3 val images, which had no part in the choice.',
    );
    const byVal = { by: 'validation', reason: 'each class has one image' } as const;
    expect(choiceText({ heads: [headResult(), headResult()], choice: byVal })).toMatch(
      /on 3 val images: as the best of them that figure is too high \(each class has one image\)\.$/,
    );
    // What older versions wrote: they chose by the validated images.
    expect(choiceText({ heads: [headResult(), headResult()] })).toMatch(/that figure is too high\.$/);
    expect(choiceText({ heads: [headResult()] })).not.toContain('too high');
  });
});

describe('the table of heads', () => {
  it('has a line a head, figures with four digits, and only the options that were changed', () => {
    const heads = [
      headResult(),
      headResult({
        name: 'softmax',
        pooling: 'flatten',
        normalize: 'none',
        converged: false,
        accuracy: 1,
        interval: [0, 1],
        logLoss: 15.9424,
        fitMs: 12_345,
        changed: {},
      }),
    ];
    expect(headsText(heads)).toBe(
      `head                     features       accuracy     95 % interval  balanced  log loss     fit  settings
-----------------------  -------------  --------  ----------------  --------  --------  ------  --------
logistic                 avg, l2          0.6667  0.2077 .. 0.9385    0.7500    0.4123  3.1 ms  C=10
softmax (not converged)  flatten, none    1.0000  0.0000 .. 1.0000    0.7500   15.9424  12.3 s  defaults
`,
    );
  });

  it('of no heads is its header', () => {
    expect(headsText([]).split('\n')).toHaveLength(3);
  });
});

describe('the confusion matrix', () => {
  it('numbers its columns by the rows, with dots for zeros', () => {
    const text = confusionText({
      classes: ['ants', 'bees', ODD_NAME],
      counts: [
        [12, 0, 1],
        [0, 103, 0],
        [0, 2, 3],
      ],
    });
    expect(text).toBe(
      [
        `true \\ predicted${' '.repeat(29)}   1    2  3`,
        `${'-'.repeat(45)}  --  ---  -`,
        `1 ants${' '.repeat(39)}  12    .  1`,
        `2 bees${' '.repeat(39)}   .  103  .`,
        `3 ${ODD_SHOWN}   .    2  3`,
        '',
      ].join('\n'),
    );
  });
});

describe('a learning curve in one line', () => {
  it('tells the first and the last epoch', () => {
    expect(learningCurveText(CURVE)).toBe('3 epochs: loss 0.7000 to 0.1000, accuracy 0.500 to 1.000');
    expect(learningCurveText({ loss: [0.7], accuracy: [0.5] })).toBe(
      '1 epoch: loss 0.7000 to 0.7000, accuracy 0.500 to 0.500',
    );
  });

  it('tells the epoch that was kept, where rows were held out', () => {
    expect(learningCurveText({ ...CURVE, valLoss: [0.8, 0.4, 0.6], valAccuracy: [0.4, 0.9, 0.8] })).toBe(
      '3 epochs: loss 0.7000 to 0.1000, accuracy 0.500 to 1.000; kept epoch 2: held-out loss 0.4000, accuracy 0.900',
    );
  });
});

describe('the report of a run', () => {
  it('is the extraction, the heads, what is to be said of them, the confusion and the mistakes of the best', () => {
    const result = runResult({
      choice: { by: 'crossValidation', reason: null },
      heads: [
        headResult({
          crossValidated: { ...CROSS_VALIDATED, accuracy: 0.75 },
          comparison: { pValue: 1, adjusted: 1, test: 'mcnemar', toldApart: false },
          looks: { heads: 13, isComplete: true },
          file: '/data/Ants.permafrost/heads/x.safetensors',
        }),
        headResult({
          name: 'softmax',
          crossValidated: { ...CROSS_VALIDATED, accuracy: 0.5, images: 2, folds: 1 },
          comparison: { pValue: 0.5, adjusted: 0.5, test: 'mcnemar', toldApart: false },
          learningCurve: CURVE,
          iterations: 3,
          notes: ['not converged: more epochs'],
        }),
      ],
      skipped: [{ name: 'knn-hnsw (avg)', reason: 'hnswlib-node is not installed.' }],
      mistakes: [{ path: 'Val/ants/2.jpg', label: 'ants', predicted: 'bees', probability: 0.98765 }],
    });
    expect(runText(result)).toBe(
      `data set    /pictures/Ants: 8 train, 3 val, 2 classes
store       /data/Ants.permafrost
features    block5_pool, contract vgg16-0123abcd, maps in float16
engine      onnxruntime 1.30.0, cpu, fp32
extraction  8 extracted, 3 reused, 0 failed in 2.0 s (4.0 extracted images/s)

Heads trained on 8 images, validated on 3 (val) in 0.5 s:
head      features        cross-validated  accuracy on val     95 % interval  balanced  log loss     fit  settings
--------  --------  ---------------------  ---------------  ----------------  --------  --------  ------  --------
logistic  avg, l2                  0.7500           0.6667  0.2077 .. 0.9385    0.7500    0.4123  3.1 ms  C=10
softmax   avg, l2   0.5000 (1 of 5 folds)           0.6667  0.2077 .. 0.9385    0.7500    0.4123  3.1 ms  C=10

Val has been looked at 13 times by this store: the best figure of many heads on the same images is a little too high.
The other head cannot be told from the best, logistic on avg, at 5 % (McNemar's exact test on the same validated images, adjusted for any two of 2 being compared).

knn-hnsw (avg) was left out: hnswlib-node is not installed.
softmax (avg): 3 epochs: loss 0.7000 to 0.1000, accuracy 0.500 to 1.000
softmax (avg): not converged: more epochs

Best head: logistic on avg
It was chosen among 2 by cross-validation on 8 training images (0.7500, a little too high as the best of them). Its accuracy 0.6667 (95 % interval 0.2077 .. 0.9385) on 3 val images, which had no part in the choice.

true \\ predicted  1  2
----------------  -  -
1 ants            1  1
2 bees            .  1

Its surest mistakes:
image           is    taken for  probability
--------------  ----  ---------  -----------
Val/ants/2.jpg  ants  bees             0.988

Saved as /data/Ants.permafrost/heads/x.safetensors; use it with: npx permafrost predict HEAD-FILE IMAGE
`,
    );
  });

  it('stands no heads and no mistakes', () => {
    const text = runText(runResult({ heads: [], skipped: [{ name: 'knn', reason: 'no rows' }] }));
    expect(text).toMatch(/extracted images\/s\)\n\nknn was left out: no rows\n$/);
    expect(runText(runResult())).toMatch(/\n2 bees +\. +1\n$/);
  });

  it('hands no name to the terminal that it would obey', () => {
    const text = runText(
      runResult({
        heads: [headResult({ file: ODD_NAME, notes: [ODD_NAME] })],
        skipped: [{ name: 'knn', reason: ODD_NAME }],
        confusion: {
          classes: [ODD_NAME, 'bees'],
          counts: [
            [1, 0],
            [0, 1],
          ],
        },
        mistakes: [{ path: ODD_NAME, label: ODD_NAME, predicted: ODD_NAME, probability: 1 }],
      }),
    );
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text.match(/Val\/\\u001b\[2Jants/g)).toHaveLength(7);
    expect(text).toContain(`Saved as ${ODD_SHOWN}; use it`);
  });
});

describe('the report of one head', () => {
  it('tells what it was trained on, how it learned, and where it is', () => {
    const head = headResult({
      name: 'softmax',
      learningCurve: CURVE,
      iterations: 3,
      notes: ['one', 'two'],
      file: 'x.safetensors',
    });
    expect(trainText(head)).toBe(
      `head     features  accuracy     95 % interval  balanced  log loss     fit  settings
-------  --------  --------  ----------------  --------  --------  ------  --------
softmax  avg, l2     0.6667  0.2077 .. 0.9385    0.7500    0.4123  3.1 ms  C=10
Trained on 8 images, validated on 3 (val); 3 iterations.
3 epochs: loss 0.7000 to 0.1000, accuracy 0.500 to 1.000
one
two
Saved as x.safetensors
`,
    );
  });

  it('says nothing of a file where none was written', () => {
    expect(trainText(headResult({ iterations: 1 }))).toMatch(/; 1 iteration\.\n$/);
  });
});
