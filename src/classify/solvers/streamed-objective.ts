import type { FloatType } from '../linalg/thin.ts';
import { addScaled, dot, largestAbsolute } from '../linalg/vectors.ts';
import { interceptScaleOf } from './design.ts';
import type { LinearProblem } from './linear-problems.ts';
import { moved, type Line, type Objective, type ObjectiveAt, type Vector, type Weights } from './objective.ts';
import { samplePreconditioner } from './row-sample.ts';
import type { PassAnswer, Shifted, StreamDesign } from './stream-design.ts';

/** A change of the objective below this part of it is rounding: of logits in float32 or in float64. */
const ROUNDING = { float32: 1e-7, float64: 1e-12 };
/** A length along a line costs a pass: one that lowers the objective will do. */
const FLAT = { whole: 0.9, found: 0.5 };
/** Lengths at which one pass computes the slope. */
const SIZES = Array.from({ length: 28 }, (_, s) => 2 ** (s - 24));
/** The part of the gradient that a step may leave, for each step of conjugate gradients costs a pass too. */
const FORCING = 0.25;
const NO_LOGITS = new Float64Array(0);

/** The objective on rows that are read again: one pass for value and gradient, one for each Hessian product. */
export function streamedObjective(design: StreamDesign, problem: LinearProblem, penalty: number): Objective {
  const { k, gapTolerance } = problem;
  const { size, meanNorm, sample } = design;
  const interceptScale = interceptScaleOf(design);
  const inner = (a: Vector, b: Vector): number => dot(a.coef, b.coef) + dot(a.bias, b.bias);
  const shifted = ({ coef, bias }: Weights): Shifted => ({ coef, shift: bias.map((b) => interceptScale * b) });
  const preconditionAt = samplePreconditioner(sample, problem.sampleLoss(sample.sampled!), penalty);

  /** The derivative by weights and intercepts from that of the loss, with that of the penalty at the weights `of`. */
  function completed({ coef, sums }: PassAnswer, of: Float64Array): Vector {
    addScaled(coef, penalty, of);
    return { coef, bias: sums.map((sum) => sum * interceptScale), logits: NO_LOGITS };
  }

  async function at({ coef, bias }: Weights, precision: FloatType): Promise<ObjectiveAt> {
    const point = { coef, bias, logits: NO_LOGITS };
    const answer = await design.pass({ problem, at: shifted(point), precision });
    const value = answer.value + (penalty / 2) * dot(coef, coef);
    const gradient = completed(answer, coef);
    return {
      point,
      value,
      gradient,
      hessian: () => async (direction) => {
        const request = { problem, at: shifted(point), direction: shifted(direction), precision: 'float32' } as const;
        return completed(await design.pass(request), direction.coef);
      },
      ...(preconditionAt && { precondition: preconditionAt(point) }),
      direct: () => undefined,
      along(weights): Promise<Line> {
        const step = { ...weights, logits: NO_LOGITS };
        return Promise.resolve({
          value,
          slope: inner(gradient, step),
          rounding: ROUNDING[precision],
          flat: FLAT,
          async at(size) {
            const there = await at(moved(point, size, step), precision);
            return {
              size,
              value: there.value,
              slope: inner(there.gradient, step),
              accept: () => Promise.resolve(there),
            };
          },
          async lowest() {
            const request = { problem, at: shifted(point), direction: shifted(step), sizes: SIZES, precision };
            const { slopes } = await design.pass(request);
            const [across, beyond] = [dot(coef, step.coef), dot(step.coef, step.coef)];
            let low = { size: 0, slope: inner(gradient, step) };
            for (const [s, size] of SIZES.entries()) {
              const slope = slopes[s]! + penalty * (across + size * beyond);
              if (slope >= 0) return size - (slope / (slope - low.slope)) * (size - low.size);
              low = { size, slope };
            }
            return low.size;
          },
        });
      },
    };
  }

  return {
    penalty,
    interceptScale,
    meanNorm,
    ...(gapTolerance !== undefined && { gapTolerance }),
    forcing: () => FORCING,
    origin: () => ({ coef: new Float64Array(size * k), bias: new Float64Array(k), logits: NO_LOGITS }),
    inner,
    largest: ({ coef }) => largestAbsolute(coef),
    at,
  };
}
