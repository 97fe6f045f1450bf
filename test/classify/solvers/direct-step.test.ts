import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { columnDesign } from '../../../src/classify/solvers/column-design.ts';
import type { Design } from '../../../src/classify/solvers/design.ts';
import { costOfDirect } from '../../../src/classify/solvers/direct-step.ts';
import { gramDesign } from '../../../src/classify/solvers/gram-design.ts';
import { keptObjective } from '../../../src/classify/solvers/kept-objective.ts';
import type { LinearFit } from '../../../src/classify/solvers/linear-fit.ts';
import { logisticLoss } from '../../../src/classify/solvers/logistic-loss.ts';
import { squaredErrorLoss, squaredHingeLoss } from '../../../src/classify/solvers/margin-losses.ts';
import { fitPath } from '../../../src/classify/solvers/path.ts';

/** Rows with a mean far from zero, as after a ReLU; class 1 is that of the rows whose first columns are large. */
function noise(rows: number, cols: number): { X: Matrix; y: Int32Array } {
  const source = random(5);
  const X = matrix(
    rows,
    cols,
    Float32Array.from({ length: rows * cols }, () => 2 + source.normal()),
  );
  const y = Int32Array.from({ length: rows }, (_, i) =>
    Number(X.data[i * cols]! + X.data[i * cols + 1]! + source.normal() > 4),
  );
  return { X, y };
}

const targetsOf = (y: Int32Array): Float64Array => Float64Array.from(y, (c) => 2 * c - 1);
const lengthOf = (values: Float64Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

describe('a direct step', () => {
  it.each([
    ['columns, more active rows than columns', 60, 9, columnDesign, 'squaredHinge'],
    ['columns, fewer active rows than columns', 30, 50, columnDesign, 'squaredHinge'],
    ['the span of the rows', 30, 50, gramDesign, 'squaredHinge'],
    ['columns, logistic of two classes', 60, 9, columnDesign, 'logistic'],
    ['the span of the rows, squared error', 30, 50, gramDesign, 'squaredError'],
  ] as const)('takes the gradient of the quadratic model to zero: in %s', async (_, rows, cols, make, name) => {
    const { X, y } = noise(rows, cols);
    const design = await (make as (X: Matrix) => Design | Promise<Design>)(X);
    // One row in seven is left out.
    const weights = Float64Array.from(y, (_, i) => (i % 7 === 0 ? 0 : (1 + (i % 3)) / rows));
    const loss = {
      squaredHinge: () => squaredHingeLoss(targetsOf(y), weights),
      squaredError: () => squaredErrorLoss(targetsOf(y), weights),
      logistic: () => logisticLoss(y, 1, weights),
    }[name]();
    const source = random(6);
    const coef = Float64Array.from({ length: design.size }, () => 0.05 * source.normal());
    const objective = keptObjective(design, loss, 0.05);
    const here = await objective.at({ coef, bias: Float64Array.of(0.1) }, 'float64');
    const direct = here.direct()!;
    expect(direct.cost).toBeGreaterThan(0);

    const step = (await direct.solve())!;
    expect(step.logits).toEqual(await design.logits(step.coef, 1, 'float64'));
    const bent = await here.hessian()({ ...step, logits: step.logits! });
    const left = bent.coef.map((value, j) => value + here.gradient.coef[j]!);
    // Hessian products are float32: what is left is their rounding.
    expect(lengthOf(left)).toBeLessThan(1e-4 * Math.max(lengthOf(bent.coef), lengthOf(here.gradient.coef)));
    expect(Math.abs(here.gradient.bias[0]! + bent.bias[0]!) / objective.interceptScale).toBeLessThan(1e-3);
  });

  it('is not offered where the columns of a row meet, nor for rows too many to copy', () => {
    const { X, y } = noise(40, 9);
    const design = columnDesign(X);
    const weights = new Float64Array(y.length).fill(1 / y.length);
    const three = logisticLoss(y, 3, weights);
    expect(costOfDirect(design, 3, three.at(new Float64Array(3 * y.length)))).toBeUndefined();
    const here = squaredHingeLoss(targetsOf(y), weights).at(new Float64Array(y.length));
    expect(costOfDirect(design, 1, here)).toBeGreaterThan(0);
    expect(costOfDirect({ ...design, size: 2 ** 20 }, 1, here)).toBeUndefined();
  });

  it.each([
    ['columns', 800, 400, columnDesign],
    ['the span of the rows', 150, 400, gramDesign],
  ] as const)(
    'takes linear-svm from penalty to weaker penalty in a third of the Newton steps, to the same optimum: in %s',
    async (_, rows, cols, make) => {
      const { X, y } = noise(rows, cols);
      const design: Design = await (make as (X: Matrix) => Design | Promise<Design>)(X);
      const { direct, ...without } = design;
      expect(direct).toBeDefined();
      const task = { loss: 'squaredHinge', y, classes: 2, classWeight: 'none' } as const;
      const Cs = [0.1, 1, 10, 100];
      const stop = { tol: 1e-5, maxIter: 1000 };
      const quick = await fitPath(design, task, Cs, stop);
      const slow = await fitPath(without, task, Cs, stop);
      const steps = (fits: readonly LinearFit[]): number =>
        fits.slice(1).reduce((sum, { iterations }) => sum + iterations, 0);
      expect(steps(quick)).toBeLessThan(steps(slow) / 3);
      Cs.forEach((_, c) => {
        const [one, other] = [quick[c]!, slow[c]!];
        expect([one.converged, other.converged]).toEqual([true, true]);
        const far = Math.max(...one.logits.map((s, i) => Math.abs(s - other.logits[i]!)));
        expect(far).toBeLessThan(0.05 * Math.max(...other.logits.map(Math.abs)));
      });
    },
  );
});
