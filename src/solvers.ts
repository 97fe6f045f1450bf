/**
 * The parts that linear heads are solved with: a design of the rows, computed once, serves every fold and every
 * penalty.
 *
 * @packageDocumentation
 */
export { designForOne, designOf } from './classify/solvers/choose-design.ts';
export type { Design, FitRows } from './classify/solvers/design.ts';
export { fitLinear, linearWeights } from './classify/solvers/linear-fit.ts';
export type { LinearFit, LinearSolution, Strength } from './classify/solvers/linear-fit.ts';
export type { LinearLoss, LinearTask } from './classify/solvers/linear-problems.ts';
export type { StopRule } from './classify/solvers/newton-cg.ts';
export type { Vector } from './classify/solvers/objective.ts';
export { bestOf, crossValidatePath, fitPath, type PathScore } from './classify/solvers/path.ts';
export { ridgePath, type RidgeChoice, type RidgeTask } from './classify/solvers/ridge-path.ts';
