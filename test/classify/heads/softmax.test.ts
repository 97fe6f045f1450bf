import { describe, expect, it } from 'vitest';
import wabt from 'wabt';
import { matrixRows } from '../../../src/core/rows.ts';
import { ADAM_STEP, ADAM_STEP_TEXT } from '../../../src/classify/network/adam-step.ts';
import { adam } from '../../../src/classify/network/adam.ts';
import { createHead, loadHead } from '../../../src/classify/heads/index.ts';
import { hits, logLoss, topClass } from '../../../src/classify/evaluate/metrics.ts';
import { blobs, expectCode, throughFile } from './head-contract.ts';
import type { LearningCurve } from '../../../src/classify/head.ts';

describe('Adam', () => {
  it('takes the steps of Keras', () => {
    // v = keras.Variable([1., -2.]); o = keras.optimizers.Adam(0.1)
    // for g in ([0.5, -1.], [0.1, 3.], [-2., 1e-8]): o.apply([keras.ops.convert_to_tensor(g)], [v])
    // Written out: m += (g - m) * 0.1; v += (g² - v) * 0.001; w -= 0.1 * sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v)
    // + 1e-7)
    const optimiser = adam([Float32Array.of(1, -2)], 0.1);
    const expected = [1, -2];
    const [m, v] = [
      [0, 0],
      [0, 0],
    ];
    [
      [0.5, -1],
      [0.1, 3],
      [-2, 1e-8],
    ].forEach((gradient, step) => {
      optimiser.step([Float32Array.from(gradient)]);
      const rate = (0.1 * Math.sqrt(1 - 0.999 ** (step + 1))) / (1 - 0.9 ** (step + 1));
      gradient.forEach((g, i) => {
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        expected[i]! -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-7);
      });
    });
    expect(optimiser.weights[0]![0]).toBeCloseTo(expected[0]!, 6);
    expect(optimiser.weights[0]![1]).toBeCloseTo(expected[1]!, 6);
  });

  it('steps several arrays of any length as it steps each alone', () => {
    const gradient = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(i + 7 * step));
    const start = [1, 3, 4, 30_001].map((length) => gradient(length, 5));
    const joined = adam(start, 0.01);
    const alone = start.map((values) => adam([values], 0.01));
    for (let step = 0; step < 3; step++) {
      const gradients = start.map(({ length }) => gradient(length, step));
      joined.step(gradients);
      alone.forEach((optimiser, i) => optimiser.step([gradients[i]!]));
    }
    expect(joined.weights).toEqual(alone.map(({ weights }) => weights[0]));
    expect(joined.weights[3]).not.toEqual(start[3]);
  });

  it('refuses more weights than WebAssembly can hold', () => {
    const many = { length: 2 ** 28 + 1 } as Float32Array;
    expect(() => adam([many], 0.01)).toThrow(/268435457 weights is too large: at most 268435456/);
  });

  it('is assembled from the text beside it', async () => {
    const assembler = await wabt();
    const { buffer } = assembler.parseWat('adam-step.wat', ADAM_STEP_TEXT, { simd: true }).toBinary({});
    expect(Buffer.from(buffer)).toEqual(ADAM_STEP);
  });
});

describe('the head softmax', () => {
  it('keeps its learning curve, which falls, and says when it stopped', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 30, 20);
    const head = await createHead('softmax', { learningRate: 0.01 }).fit(matrixRows(X), y);
    const { loss, accuracy, ...heldOut } = head.learningCurve!;
    expect(head.converged).toBe(true);
    expect([loss.length, accuracy.length]).toEqual([head.iterations, head.iterations]);
    expect(heldOut).toEqual({});
    expect(loss.at(-1)).toBeLessThan(loss[0]! / 10);
    expect(accuracy[0]).toBeLessThan(0.9);
    expect(accuracy.at(-1)).toBe(1);
    expect(head.notes).toEqual([]);
    const loaded = await loadHead('softmax', throughFile(head.state));
    expect(loaded.learningCurve).toEqual(head.learningCurve);
    expect(loaded.state).toEqual(head.state);
  });

  it('counts loss and accuracy of an epoch as the rows were met, before their step', async () => {
    // One batch an epoch: the first epoch meets the first weights, so the second's loss is that of the head after one
    // epoch.
    const { X, y } = blobs(['a', 'b', 'c'], 10, 12);
    const options = { batchSize: 30, learningRate: 0.05 };
    const after = await createHead('softmax', { ...options, maxEpochs: 1 }).fit(matrixRows(X), y);
    const P = await after.predictProba(X);
    const truth = Int32Array.from(y, (label) => after.classes.indexOf(label));
    const { loss, accuracy } = (await createHead('softmax', { ...options, maxEpochs: 2 }).fit(matrixRows(X), y))
      .learningCurve!;
    expect(loss[1]).toBeCloseTo(logLoss(truth, P), 5);
    expect(accuracy[1]).toBe(hits(truth, topClass(P)) / 30);
  });

  it.each([
    ['a number too few', (curve: LearningCurve) => ({ ...curve, loss: curve.loss.slice(1) })],
    ['no accuracy', ({ loss }: LearningCurve) => ({ loss })],
    ['a number that is none', (curve: LearningCurve) => ({ ...curve, valLoss: curve.loss.map(() => null) })],
    ['nothing', () => null],
  ])('is refused where its stored curve has %s', async (_, damage) => {
    const { X, y } = blobs(['a', 'b'], 10, 5);
    const { state } = await createHead('softmax', { maxEpochs: 3 }).fit(matrixRows(X), y);
    const json = { ...state.json, learningCurve: damage(state.json.learningCurve as LearningCurve) };
    await expectCode(loadHead('softmax', { ...state, json }), 'HEAD_CORRUPT', /learningCurve/);
  });

  it('says so where its weights run away, instead of giving a head of NaN', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const fit = createHead('softmax', { learningRate: 1e38, batchSize: 4 }).fit(matrixRows(X), y);
    await expectCode(fit, 'FIT_INVALID', /loss is .* in epoch \d+.*Lower learningRate/);
  });

  it('tells that it did not converge', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const head = await createHead('softmax', { maxEpochs: 3 }).fit(matrixRows(X), y);
    expect(head).toMatchObject({ converged: false, iterations: 3 });
    expect(head.notes[0]).toMatch(/not converged.*after 3 epochs/);
  });

  it('watches a part held out, and keeps the best epoch', async () => {
    const { X, y } = blobs(['a', 'b'], 30, 40);
    // Labels without meaning: the training loss falls, that of the part held out must rise in the end.
    const random = y.map((_, i) => ((i * 7919) % 13 < 6 ? 'a' : 'b'));
    const options = { validationFraction: 0.3, learningRate: 0.02, maxEpochs: 100 };
    const head = await createHead('softmax', options).fit(matrixRows(X), random);
    const { loss, valLoss, valAccuracy } = head.learningCurve!;
    expect([valLoss!.length, valAccuracy!.length]).toEqual([loss.length, loss.length]);
    for (const value of valAccuracy!) expect(value * 18).toBeCloseTo(Math.round(value * 18), 10); // of 18 rows
    const best = valLoss!.indexOf(Math.min(...valLoss!));
    expect(best).toBeLessThan(valLoss!.length - 5);
    const stopped = await createHead('softmax', { ...options, maxEpochs: best + 1 }).fit(matrixRows(X), random);
    expect(stopped.state.tensors).toEqual(head.state.tensors);
  });

  it('cannot hold out rows of classes that have one', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 1, 5);
    const head = createHead('softmax', { validationFraction: 0.2 });
    await expectCode(head.fit(matrixRows(X), y), 'FIT_INVALID', /none can be held out/);
  });

  it('stops when it is aborted', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const stop = new AbortController();
    const fit = createHead('softmax', { maxEpochs: 100_000, tol: 0, nIterNoChange: 100_000 }).fit(
      matrixRows(X),
      y,
      stop,
    );
    setTimeout(() => stop.abort(), 50);
    await expectCode(fit, 'INTERRUPTED', /interrupted/);
  });

  it('gives other weights for another seed', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const weights = async (seed: number) =>
      (await createHead('softmax', { seed, maxEpochs: 2 }).fit(matrixRows(X), y)).state.tensors;
    expect(await weights(1)).not.toEqual(await weights(2));
  });
});

describe('the head ml-logistic', () => {
  it('refuses rows too wide for the package, and says what to do', async () => {
    const { X, y } = blobs(['a', 'b'], 2, 4097);
    await expectCode(
      createHead('ml-logistic').fit(matrixRows(X), y),
      'FIT_INVALID',
      /at most 4096 features a row, these have 4097.*"logistic"/,
    );
  });

  it('tells that it did not converge', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const head = await createHead('ml-logistic', { numSteps: 5 }).fit(matrixRows(X), y);
    expect(head).toMatchObject({ converged: false, iterations: 5 });
    expect(head.notes[0]).toMatch(/after 5 steps, and the package has no stop rule/);
  });
});
