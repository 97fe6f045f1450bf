import { describe, expect, it } from 'vitest';
import { matrix } from '../../../src/core/matrix.ts';
import { matrixRows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import { createHead, type HeadName } from '../../../src/classify/heads/index.ts';
import { topClass } from '../../../src/classify/evaluate/metrics.ts';
import { logisticLoss } from '../../../src/classify/solvers/logistic-loss.ts';
import { forward, glorotUniform, parametersOf, slopes } from '../../../src/classify/network/network.ts';
import { expectCode } from './head-contract.ts';

describe('a network with a hidden layer', () => {
  it('has the gradient that finite differences show, for every parameter', async () => {
    const source = random(2);
    const network = [glorotUniform(5, 4, source), glorotUniform(4, 3, source)];
    for (const { bias } of network) bias.forEach((_, i) => (bias[i] = source.normal() / 4));
    const X = matrix(
      6,
      5,
      Float32Array.from({ length: 30 }, () => source.normal()),
    );
    const loss = logisticLoss(Int32Array.of(0, 1, 2, 0, 1, 2), 3, Float64Array.of(0.1, 0.2, 0.1, 0.3, 0.2, 0.1));
    const value = async () => loss.at((await forward(network, X)).logits).value;
    const passed = await forward(network, X);
    const found = await slopes(network, passed, loss.at(passed.logits).residuals);
    const parameters = parametersOf(network);
    expect(found.map(({ length }) => length)).toEqual(parameters.map(({ length }) => length));
    // float32 values: steps of 2^-8 keep rounding (2^-24 / 2^-8) and curvature both below 1e-3.
    const step = 2 ** -8;
    for (const [p, values] of parameters.entries()) {
      for (let i = 0; i < values.length; i++) {
        const at = values[i]!;
        values[i] = at + step;
        const above = await value();
        values[i] = at - step;
        const below = await value();
        values[i] = at;
        expect(Math.abs(found[p]![i]! - (above - below) / (2 * step))).toBeLessThan(2e-3);
      }
    }
  });
});

/** Two classes that no line parts: the sign of the product of two columns. */
function crossed(rows: number) {
  const source = random(7);
  const X = matrix(
    rows,
    2,
    Float32Array.from({ length: 2 * rows }, () => source.normal()),
  );
  const y = Array.from({ length: rows }, (_, i) => (X.data[2 * i]! * X.data[2 * i + 1]! > 0 ? 'same' : 'other'));
  return { X, y };
}

const accuracyOf = async (name: HeadName, options: object) => {
  const { X, y } = crossed(400);
  const head = await createHead(name, { ...options }).fit(matrixRows(X), y);
  const guess = topClass(await head.predictProba(X));
  return { head, accuracy: y.filter((label, i) => head.classes[guess[i]!] === label).length / y.length };
};

describe('the head mlp', () => {
  it('learns what no linear head can', async () => {
    expect((await accuracyOf('softmax', { learningRate: 0.01 })).accuracy).toBeLessThan(0.7);
    const { head, accuracy } = await accuracyOf('mlp', { learningRate: 0.01 });
    expect(accuracy).toBeGreaterThan(0.93);
    expect(head.converged).toBe(true);
    expect(head.learningCurve!.valLoss).toHaveLength(head.iterations);
    expect(head.state.tensors.get('hiddenWeights')!.shape).toEqual([64, 2]);
  });

  it('gives other weights for another seed', async () => {
    const { X, y } = crossed(60);
    const of = async (seed: number) =>
      (await createHead('mlp', { seed, maxEpochs: 2 }).fit(matrixRows(X), y)).state.tensors;
    expect(await of(1)).not.toEqual(await of(2));
  });

  it('cannot hold out rows of classes that have one', async () => {
    const X = matrix(2, 2, Float32Array.of(1, 2, 3, 4));
    await expectCode(createHead('mlp').fit(matrixRows(X), ['a', 'b']), 'FIT_INVALID', /none can be held out/);
  });
});
