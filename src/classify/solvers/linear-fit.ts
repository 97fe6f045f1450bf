import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import { shiftRows } from '../linalg/vectors.ts';
import { interceptScaleOf, type Design, type FitRows } from './design.ts';
import { keptObjective } from './kept-objective.ts';
import { problemsOf, type LinearProblem, type LinearTask } from './linear-problems.ts';
import { newtonCg, type Optimum, type StopRule } from './newton-cg.ts';
import type { Objective, Vector, Weights } from './objective.ts';
import type { StreamDesign } from './stream-design.ts';
import { streamedObjective } from './streamed-objective.ts';

/** How strong the penalty is: C is the inverse. */
export interface Strength {
  readonly C: number;
}

/** The optimum for one C. */
export interface LinearSolution {
  readonly C: number;
  /** One a problem; the columns of logits are theirs in turn. */
  readonly points: readonly Vector[];
  readonly k: number;
  readonly converged: boolean;
  /** Newton steps, the most of any problem. */
  readonly iterations: number;
  /** Upper bound of max|gradient| of the objective over C times the sum of weights, as scikit-learn's. */
  readonly gradient: number;
  /** Upper bound of the part of the objective above its minimum, the largest of any problem. */
  readonly dualityGap: number;
}

/** The optimum on rows that are in memory. */
export interface LinearFit extends LinearSolution {
  /** Logits with intercepts of all the design's rows, fitted on or not, shape (n, k); k = 1 for two classes. */
  readonly logits: Float64Array;
}

/**
 * Minimises C · sum of (weight · loss) + |W|² / 2 over W and free intercepts, from `start`, the optimum for another C.
 * Problems of several classes run at the same time. Throws INTERRUPTED, and what reading the rows throws.
 */
export async function solveLinear(
  design: Design | StreamDesign,
  task: LinearTask,
  { C, ...stop }: StopRule & Strength,
  start?: LinearSolution,
  context?: FitContext,
): Promise<LinearSolution> {
  const problems = problemsOf(task);
  const optima = await Promise.all(
    problems.map((problem, p) => solve(design, problem, 1 / (C * problem.weightSum), stop, start?.points[p], context)),
  );
  return {
    C,
    points: optima.map(({ point }) => point),
    k: problems.reduce((sum, { k }) => sum + k, 0),
    converged: optima.every(({ converged }) => converged),
    iterations: Math.max(...optima.map(({ iterations }) => iterations)),
    gradient: Math.max(...optima.map(({ gradient }) => gradient)),
    dualityGap: Math.max(...optima.map(({ dualityGap }) => dualityGap)),
  };
}

/** As solveLinear, with the logits of all rows. */
export async function fitLinear(
  design: Design,
  task: LinearTask,
  stop: StopRule & Strength,
  start?: LinearSolution,
  context?: FitContext,
): Promise<LinearFit> {
  const solution = await solveLinear(design, task, stop, start, context);
  const scale = interceptScaleOf(design);
  const columns = solution.points.map(({ logits, bias }) => shiftRows(logits.slice(), bias, scale));
  return { ...solution, logits: sideBySide(columns, design.rows) };
}

function objectiveOf(design: Design | StreamDesign, problem: LinearProblem, penalty: number): Objective {
  if ('pass' in design) return streamedObjective(design, problem, penalty);
  const loss = design.sampled === undefined ? problem.loss() : problem.sampleLoss(design.sampled);
  return keptObjective(design, loss, penalty, problem.gapTolerance);
}

/**
 * Below this penalty, in units of the rows' mean squared norm, a squared hinge is approached from stronger ones, each
 * ten times the next; and the relative duality gap that is left on the way.
 */
const WEAK = 1e-4;
const ON_THE_WAY = 0.1;

/**
 * The optimum of one problem from `start`, else from that of an easier one: a rough design's, or stronger penalties'
 * where the margin rows are hard to find. Their steps count.
 */
async function solve(
  design: Design | StreamDesign,
  problem: LinearProblem,
  penalty: number,
  { tol, maxIter }: StopRule,
  start?: Weights,
  context?: FitContext,
): Promise<Optimum> {
  let from = start;
  let used = 0;
  const easier = { ...problem, ...(problem.gapTolerance && { gapTolerance: ON_THE_WAY }) };
  const rest = (): StopRule => ({ tol, maxIter: maxIter - used });
  const { rough } = design;
  const hasHardMargin = problem.gapTolerance !== undefined && ('pass' in design || design.direct !== undefined);
  if (start === undefined && rough !== undefined) {
    const roughly = rough.sampled ? easier : problem;
    const { point, iterations } = await solve(rough, roughly, penalty, rest(), undefined, context);
    from = { coef: point.coef, bias: point.bias };
    used += iterations;
  } else if (start === undefined && hasHardMargin) {
    const steps = Math.ceil(Math.log10((WEAK * design.meanSquaredNorm) / penalty));
    for (let left = steps; left > 0; left--) {
      const objective = objectiveOf(design, easier, penalty * 10 ** left);
      const { point, iterations } = await newtonCg(objective, rest(), from, context);
      from = point;
      used += iterations;
    }
  }
  const optimum = await newtonCg(objectiveOf(design, problem, penalty), rest(), from, context);
  return { ...optimum, iterations: used + optimum.iterations };
}

/** The weights (d, k) and intercepts (k) of a solution, for features that are not centred. */
export async function linearWeights(
  design: FitRows,
  { points, k }: LinearSolution,
): Promise<{ weights: Matrix; intercept: Float32Array }> {
  const coefs = points.map(({ coef }) => coef);
  const { weights, meanLogits } = await design.weights(sideBySide(coefs, design.size), k);
  const scale = interceptScaleOf(design);
  const bias = points.flatMap((point) => [...point.bias]);
  return { weights, intercept: Float32Array.from(bias, (b, c) => b * scale - meanLogits[c]!) };
}

/** Matrices of `rows` rows side by side, row-major. */
function sideBySide(parts: readonly Float64Array[], rows: number): Float64Array {
  if (parts.length === 1) return parts[0]!;
  const widths = parts.map((part) => part.length / rows);
  const columns = widths.reduce((sum, width) => sum + width, 0);
  const out = new Float64Array(rows * columns);
  let from = 0;
  parts.forEach((part, p) => {
    const width = widths[p]!;
    for (let i = 0; i < rows; i++) out.set(part.subarray(i * width, (i + 1) * width), i * columns + from);
    from += width;
  });
  return out;
}
