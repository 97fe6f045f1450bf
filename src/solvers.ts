/**
 * The parts that linear heads are solved with: a design of the rows, computed once, serves every fold and every
 * penalty.
 *
 * @packageDocumentation
 */
export { designForOne, designOf } from './classify/solvers/choose-design.ts';
export type { Design } from './classify/solvers/design.ts';
export { fitLinear, linearWeights, type LinearTask } from './classify/solvers/linear-fit.ts';
export { bestOf, crossValidatePath, fitPath } from './classify/solvers/path.ts';
export { ridgePath } from './classify/solvers/ridge-path.ts';
