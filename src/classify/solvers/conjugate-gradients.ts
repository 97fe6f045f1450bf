import { addScaled } from '../linalg/vectors.ts';
import {
  addVector,
  scaleAddVector,
  scaled,
  type Objective,
  type ObjectiveAt,
  type Vector,
  type Weights,
} from './objective.ts';

/** More steps than any fit of the measured sets took; a step that ends here is still downhill. */
export const MOST_STEPS = 500;

/** Whether a residual may be left. */
export type Enough = (residual: Vector, norm: number) => boolean;

/**
 * Solves Hessian · step = -gradient by conjugate gradients (Hestenes and Stiefel 1952) until `isEnough`; `ended` is
 * false where `most` steps did not get there. Preconditioned ones are flexible (Notay 2000): the map may change.
 */
export async function conjugateGradients(
  { inner }: Pick<Objective, 'inner'>,
  { gradient, hessian, precondition }: Pick<ObjectiveAt, 'gradient' | 'hessian' | 'precondition'>,
  isEnough: Enough,
  most = MOST_STEPS,
): Promise<{ readonly step: Weights; readonly ended: boolean }> {
  const product = hessian();
  const step = { coef: new Float64Array(gradient.coef.length), bias: new Float64Array(gradient.bias.length) };
  const residual = scaled(gradient, -1);
  let squared = inner(residual, residual);
  let direction: Vector | undefined;
  let last = { residual, steepness: 1 };
  let ended = isEnough(residual, Math.sqrt(squared));
  for (let i = 0; i < most && !ended; i++) {
    const steep = precondition === undefined ? residual : await precondition(residual);
    const steepness = precondition === undefined ? squared : inner(residual, steep);
    if (direction === undefined) direction = scaled(steep, 1);
    else {
      // Residuals are orthogonal where nothing preconditions them.
      const overlap = precondition === undefined ? 0 : inner(last.residual, steep);
      scaleAddVector(direction, (steepness - overlap) / last.steepness, steep);
    }
    last = { residual: precondition === undefined ? residual : scaled(residual, 1), steepness };

    const hessianStep = await product(direction);
    const curvature = inner(hessianStep, direction);
    // Rounding, in a direction that has no curvature left.
    if (!(curvature > 0)) break;
    const size = inner(residual, direction) / curvature;
    addScaled(step.coef, size, direction.coef);
    addScaled(step.bias, size, direction.bias);
    addVector(residual, -size, hessianStep);
    squared = inner(residual, residual);
    ended = isEnough(residual, Math.sqrt(squared));
  }
  return { step, ended };
}
