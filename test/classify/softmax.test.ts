import { describe, expect, it } from 'vitest';
import { adam } from '../../src/classify/solvers/adam.ts';
import { createHead, loadHead } from '../../src/classify/heads/index.ts';
import { blobs, expectCode, throughFile } from './head-contract.ts';

describe('Adam', () => {
  it('takes the steps of Keras', () => {
    // v = keras.Variable([1., -2.]); o = keras.optimizers.Adam(0.1)
    // for g in ([0.5, -1.], [0.1, 3.], [-2., 1e-8]): o.apply([keras.ops.convert_to_tensor(g)], [v])
    // Written out: m += (g - m) * 0.1; v += (g² - v) * 0.001; w -= 0.1 * sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-7)
    const weights = Float32Array.of(1, -2);
    const optimiser = adam(2, 0.1);
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
      optimiser.step(weights, Float32Array.from(gradient));
      const rate = (0.1 * Math.sqrt(1 - 0.999 ** (step + 1))) / (1 - 0.9 ** (step + 1));
      gradient.forEach((g, i) => {
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        expected[i]! -= (rate * m[i]) / (Math.sqrt(v[i]) + 1e-7);
      });
    });
    expect(weights[0]).toBeCloseTo(expected[0]!, 6);
    expect(weights[1]).toBeCloseTo(expected[1]!, 6);
  });
});

describe('the head softmax', () => {
  it('keeps its learning curve, which falls, and says when it stopped', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 30, 20);
    const head = await createHead('softmax', { learningRate: 0.01 }).fit(X, y);
    const { loss, heldOut } = head.state.json.learningCurve as { loss: number[]; heldOut: number[] };
    expect(head.converged).toBe(true);
    expect(loss.length).toBe(head.iterations);
    expect(heldOut).toEqual([]);
    expect(loss.at(-1)).toBeLessThan(loss[0]! / 10);
    expect(head.notes).toEqual([expect.stringMatching(/^loss by epoch 1: \d\.\d{4}, 2: .*, 10: /)]);
    const loaded = await loadHead('softmax', throughFile(head.state));
    expect(loaded.state.json.learningCurve).toEqual({ loss, heldOut });
  });

  it('tells that it did not converge', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const head = await createHead('softmax', { maxEpochs: 3 }).fit(X, y);
    expect(head).toMatchObject({ converged: false, iterations: 3 });
    expect(head.notes[1]).toMatch(/not converged.*after 3 epochs/);
  });

  it('watches a part held out, and keeps the best epoch', async () => {
    const { X, y } = blobs(['a', 'b'], 30, 40);
    // Labels without meaning: the training loss falls, that of the part held out must rise in the end.
    const random = y.map((_, i) => ((i * 7919) % 13 < 6 ? 'a' : 'b'));
    const options = { validationFraction: 0.3, learningRate: 0.02, maxEpochs: 100 };
    const head = await createHead('softmax', options).fit(X, random);
    const { loss, heldOut } = head.state.json.learningCurve as { loss: number[]; heldOut: number[] };
    expect(heldOut.length).toBe(loss.length);
    const best = heldOut.indexOf(Math.min(...heldOut));
    expect(best).toBeLessThan(heldOut.length - 5);
    const stopped = await createHead('softmax', { ...options, maxEpochs: best + 1 }).fit(X, random);
    expect(stopped.state.tensors).toEqual(head.state.tensors);
  });

  it('cannot hold out rows of classes that have one', async () => {
    const { X, y } = blobs(['a', 'b', 'c'], 1, 5);
    const head = createHead('softmax', { validationFraction: 0.2 });
    await expectCode(head.fit(X, y), 'FIT_INVALID', /none can be held out/);
  });

  it('stops when it is aborted', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const stop = new AbortController();
    const fit = createHead('softmax', { maxEpochs: 100_000, tol: 0, nIterNoChange: 100_000 }).fit(X, y, stop);
    setTimeout(() => stop.abort(), 50);
    await expectCode(fit, 'INTERRUPTED', /interrupted/);
  });

  it('gives other weights for another seed', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const weights = async (seed: number) =>
      (await createHead('softmax', { seed, maxEpochs: 2 }).fit(X, y)).state.tensors;
    expect(await weights(1)).not.toEqual(await weights(2));
  });
});

describe('the head ml-logistic', () => {
  it('refuses rows too wide for the package, and says what to do', async () => {
    const { X, y } = blobs(['a', 'b'], 2, 4097);
    await expectCode(
      createHead('ml-logistic').fit(X, y),
      'FIT_INVALID',
      /at most 4096 features a row, these have 4097.*"logistic"/,
    );
  });

  it('tells that it did not converge', async () => {
    const { X, y } = blobs(['a', 'b'], 20, 10);
    const head = await createHead('ml-logistic', { numSteps: 5 }).fit(X, y);
    expect(head).toMatchObject({ converged: false, iterations: 5 });
    expect(head.notes[0]).toMatch(/after 5 steps, and the package has no stop rule/);
  });
});
