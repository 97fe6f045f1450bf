import { describe, expect, it } from 'vitest';
import { matrix, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { columnDesign } from '../../../src/classify/solvers/column-design.ts';
import type { Design } from '../../../src/classify/solvers/design.ts';
import { gramDesign } from '../../../src/classify/solvers/gram-design.ts';
import { keptObjective } from '../../../src/classify/solvers/kept-objective.ts';
import { problemsOf, type LinearProblem } from '../../../src/classify/solvers/linear-problems.ts';
import { moved, type Objective, type Vector } from '../../../src/classify/solvers/objective.ts';
import { streamDesign } from '../../../src/classify/solvers/stream-design.ts';
import { streamedObjective } from '../../../src/classify/solvers/streamed-objective.ts';
import { blockRows } from '../../support/rows.ts';

const PENALTY = 0.03;
const [ROWS, COLS] = [40, 6];

function data(): { X: Matrix; y: Int32Array } {
  const source = random(11);
  const values = Float32Array.from({ length: ROWS * COLS }, () => 1 + source.normal());
  return { X: matrix(ROWS, COLS, values), y: Int32Array.from({ length: ROWS }, () => source.below(3)) };
}

const OBJECTIVES: readonly [
  string,
  (X: Matrix, problem: LinearProblem, y: Int32Array) => Promise<[Objective, Design?]>,
][] = [
  [
    'on columns that are kept',
    (X, problem) => {
      const design = columnDesign(X);
      return Promise.resolve([keptObjective(design, problem.loss(), PENALTY), design]);
    },
  ],
  [
    'in the span of the rows',
    async (X, problem) => {
      const design = await gramDesign(X);
      return [keptObjective(design, problem.loss(), PENALTY), design];
    },
  ],
  [
    'on blocks that are read again',
    async (X, problem, y) => [streamedObjective(await streamDesign(blockRows(X, 7), y), problem, PENALTY)],
  ],
];

describe.each(OBJECTIVES)('the objective %s', (_, make) => {
  it.each(['logistic', 'squaredHinge', 'squaredError'] as const)(
    'of %s has the gradient and the Hessian that finite differences show',
    async (loss) => {
      const { X, y } = data();
      const [problem] = problemsOf({ loss, y, classes: 3, classWeight: 'balanced' }) as [LinearProblem];
      const { k } = problem;
      const [objective, design] = await make(X, problem, y);
      const source = random(5);
      async function drawn(size: number): Promise<Vector> {
        const { coef, bias, logits } = objective.origin();
        coef.forEach((_, at) => (coef[at] = (size * source.normal()) / Math.sqrt(coef.length)));
        bias.forEach((_, at) => (bias[at] = size * source.normal()));
        return {
          coef,
          bias,
          logits: design === undefined ? logits : await design.logits(coef, k, 'float64'),
        };
      }
      const [point, direction, other] = [await drawn(0.5), await drawn(1), await drawn(1)];
      const at = (step: number) => objective.at(moved(point, step, direction), 'float64');
      const step = 1e-4;
      const [here, after, before] = [await at(0), await at(step), await at(-step)];

      const slope = (after.value - before.value) / (2 * step);
      expect(Math.abs(slope)).toBeGreaterThan(1e-3);
      expect(objective.inner(here.gradient, direction)).toBeCloseTo(slope, 6);
      // Hessian products are float32.
      const bent = await here.hessian()(direction);
      for (const along of [direction, other]) {
        const change = objective.inner(after.gradient, along) - objective.inner(before.gradient, along);
        const scale = Math.sqrt(objective.inner(bent, bent) * objective.inner(along, along));
        expect(Math.abs(objective.inner(bent, along) - change / (2 * step))).toBeLessThan(1e-5 * scale);
      }
    },
  );
});
