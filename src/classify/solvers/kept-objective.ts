import type { FloatType } from '../linalg/thin.ts';
import { addScaled, columnSums, dot, shiftRows } from '../linalg/vectors.ts';
import { interceptScaleOf, type Design } from './design.ts';
import { costOfDirect, directStep } from './direct-step.ts';
import type { Loss, LossAt } from './loss.ts';
import { moved, type Line, type Objective, type ObjectiveAt, type Vector } from './objective.ts';

/** A length along a line costs no product: the lowest point is looked for. Rounding is that of float64. */
const LINE = { rounding: 1e-12, flat: { whole: 0.5, found: 0.1 } };

/** The objective on rows in memory. Logits are linear in the weights: the point's are kept, and move with it. */
export function keptObjective(design: Design, loss: Loss, penalty: number, gapTolerance?: number): Objective {
  const { k } = loss;
  const interceptScale = interceptScaleOf(design);
  const totalOf = ({ logits, bias }: Vector): Float64Array => shiftRows(logits.slice(), bias, interceptScale);
  const inner = (a: Vector, b: Vector): number => design.inner(a, b) + dot(a.bias, b.bias);

  async function arrive(point: Vector, total: Float64Array, here: LossAt, precision: FloatType): Promise<ObjectiveAt> {
    // A copy: the adjoint may be the residuals themselves.
    const adjoint = (await design.adjoint(here.residuals, k, precision)).slice();
    const gradient = await completed(adjoint, columnSums(here.residuals, k), point.coef);
    const squared = design.inner(point, point);
    const value = here.value + (penalty / 2) * squared;
    return {
      point,
      value,
      gradient,
      hessian() {
        const product = design.hessian(here);
        return async (direction) => {
          const shift = direction.bias.map((b) => interceptScale * b);
          const { coef, sums } = await product(direction, shift);
          return completed(coef, sums, direction.coef);
        };
      },
      direct() {
        const cost = costOfDirect(design, k, here);
        if (cost === undefined) return undefined;
        return { cost, solve: () => directStep({ design, penalty, interceptScale }, here, gradient, precision) };
      },
      async along({ coef, bias, logits = undefined }): Promise<Line> {
        const step = { coef, bias, logits: logits ?? (await design.logits(coef, k, precision)) };
        const change = totalOf(step);
        const across = design.inner(step, point);
        const beyond = design.inner(step, step);
        return {
          ...LINE,
          value,
          slope: inner(gradient, step),
          at(size) {
            const tried = total.slice();
            addScaled(tried, size, change);
            const there = loss.at(tried);
            return Promise.resolve({
              size,
              value: there.value + (penalty / 2) * (squared + 2 * size * across + size * size * beyond),
              slope: dot(there.residuals, change) + penalty * (across + size * beyond),
              accept: () => arrive(moved(point, size, step), tried, there, precision),
            });
          },
        };
      },
    };
  }

  /** The gradient from the loss' derivative, with the penalty's at weights `of`. */
  async function completed(coef: Float64Array, sums: Float64Array, of: Float64Array): Promise<Vector> {
    addScaled(coef, penalty, of);
    const bias = sums.map((sum) => sum * interceptScale);
    return { coef, bias, logits: await design.gramProduct(coef, k) };
  }

  return {
    penalty,
    interceptScale,
    meanNorm: design.meanNorm,
    ...(gapTolerance !== undefined && { gapTolerance }),
    forcing: (warm) => forcingOf(design, k, warm),
    origin: () => ({
      coef: new Float64Array(design.size * k),
      bias: new Float64Array(k),
      logits: new Float64Array(design.rows * k),
    }),
    inner,
    largest: (gradient) => design.largest(gradient),
    ...(design.closer && { closer: design.closer }),
    async at({ coef, bias, logits = undefined }, precision) {
      const point = { coef, bias, logits: logits ?? (await design.logits(coef, k, precision)) };
      const total = totalOf(point);
      return arrive(point, total, loss.at(total), precision);
    },
  };
}

/**
 * A step is solved well where its products are cheap next to those with X (a rough design), and from another penalty's
 * optimum, where a loose step would lose the nearly right margin rows (on 2,400 x 512: 3 Newton steps, not 15 to 20).
 */
function forcingOf({ rough, direct }: Design, k: number, warm: boolean): number {
  if (rough !== undefined) return 0.01;
  if (direct === undefined || k !== 1) return 0.25;
  return warm ? 0.01 : 0.1;
}
