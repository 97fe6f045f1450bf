import type { Matrix } from '../../core/matrix.ts';
import type { FitContext } from '../head.ts';
import type { Design } from './design.ts';
import { logisticLoss } from './logistic-loss.ts';
import type { Loss } from './loss.ts';
import { squaredErrorLoss, squaredHingeLoss } from './margin-losses.ts';
import { type Optimum, type StopRule, newtonCg } from './newton-cg.ts';
import { type Point, type Problem, problem, totalScores, unitOf } from './problem.ts';
import { type ClassWeight, classWeights, rowWeights, sharesOf } from './row-weights.ts';
import { positivesOf, weightAgainstRest } from './against-rest.ts';

/**
 * `logistic`: one binomial problem for two classes, else one multinomial one (scikit-learn's LogisticRegression).
 * `squaredHinge` (LinearSVC) and `squaredError` (RidgeClassifier, C = 1 / alpha): one problem for two classes, else one
 * a class against the rest.
 */
export type LinearLoss = 'logistic' | 'squaredHinge' | 'squaredError';

/** Which rows of a design to fit, on which classes, by which loss. */
export interface LinearTask {
  readonly loss: LinearLoss;
  /** Class index of each row of the design, shape (n). */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
  /** The rows to fit on, by default all. */
  readonly rows?: readonly number[];
}

/** The optimum for one C. */
export interface LinearFit {
  readonly C: number;
  /** One a problem; the columns of scores are theirs in turn. */
  readonly points: readonly Point[];
  /**
   * Scores with the intercepts of all rows of the design, also of those not fitted on. Shape (n, k), k = 1 for two
   * classes.
   */
  readonly scores: Float64Array;
  readonly k: number;
  readonly converged: boolean;
  /** Newton steps, the most of any problem. */
  readonly iterations: number;
  /**
   * Upper bound of the largest absolute gradient, in scikit-learn's scaling: of the objective over C times the sum of
   * weights.
   */
  readonly gradient: number;
  /** Upper bound of how much of the objective is above its least, the largest of any problem. */
  readonly gap: number;
}

/**
 * Minimises C · sum of (weight · loss) + |W|² / 2 over W and free intercepts, from `start`, the fit of another C, where
 * one is given. The problems of several classes run at the same time. Throws INTERRUPTED.
 */
export async function fitLinear(
  design: Design,
  task: LinearTask,
  { C, ...stop }: StopRule & { readonly C: number },
  start?: LinearFit,
  context?: FitContext,
): Promise<LinearFit> {
  const problems = lossesOf(task).map(({ loss, sum }) => problem(design, loss, 1 / (C * sum)));
  const optima = await Promise.all(problems.map((one, i) => solve(one, stop, start?.points[i], context)));
  const columns = optima.map(({ point }, i) => totalScores(problems[i]!, point));
  return {
    C,
    points: optima.map(({ point }) => point),
    scores: sideBySide(columns, design.rows),
    k: problems.reduce((k, { loss }) => k + loss.k, 0),
    converged: optima.every(({ converged }) => converged),
    iterations: Math.max(...optima.map(({ iterations }) => iterations)),
    gradient: Math.max(...optima.map(({ gradient }) => gradient)),
    gap: Math.max(...optima.map(({ gap }) => gap)),
  };
}

/**
 * Penalties, in units of the rows' mean squared length, below which a squared hinge is approached from stronger ones,
 * each ten times the next.
 */
const WEAK = 1e-4;

/**
 * The optimum of one problem, from `start`, or else from where easier problems end: that of a rough design, and those
 * of stronger penalties where the rows on the margin are hard to find (a path as in cross-validation, whose optima are
 * near each other). Their steps count.
 */
async function solve(
  one: Problem,
  { tol, maxIter }: StopRule,
  start?: Point,
  context?: FitContext,
): Promise<Optimum> {
  const { design, loss, penalty } = one;
  let [point, used] = [start, 0];
  async function passBy(easier: Problem): Promise<void> {
    const rest = { tol, maxIter: maxIter - used };
    const { iterations, ...found } = await newtonCg(easier, rest, point, context);
    ({ point } = found);
    used += iterations;
  }
  if (start === undefined && design.rough !== undefined) {
    await passBy({ ...one, design: design.rough });
    point = { ...point!, scores: await design.scores(point!.coef, loss.k, 'float32') };
  } else if (start === undefined && loss.mostGap !== undefined) {
    const steps = Math.ceil(Math.log10((WEAK * design.spread) / penalty));
    for (let left = steps; left > 0; left--)
      await passBy({ ...one, loss: { ...loss, mostGap: 0.1 }, penalty: penalty * 10 ** left });
  }
  const optimum = await newtonCg(one, { tol, maxIter: maxIter - used }, point, context);
  return { ...optimum, iterations: used + optimum.iterations };
}

/** The weights (d, k) and intercepts (k) of a fit, for features that are not centred. */
export async function linearWeights(
  design: Design,
  { points, k }: LinearFit,
): Promise<{ weights: Matrix; intercept: Float32Array }> {
  const coef = sideBySide(
    points.map((point) => point.coef),
    design.size,
  );
  const { weights, meanScores } = await design.weights(coef, k);
  const unit = unitOf(design);
  const bias = points.flatMap((point) => [...point.bias]);
  return { weights, intercept: Float32Array.from(bias, (b, c) => b * unit - meanScores[c]!) };
}

interface WeightedLoss {
  readonly loss: Loss;
  /** Sum of the rows' weights. */
  readonly sum: number;
}

function lossesOf({ loss, y, classes, classWeight, rows }: LinearTask): WeightedLoss[] {
  const byClass = classWeights(y, classes, classWeight, rows);
  if (loss === 'logistic') {
    const { shares, sum } = sharesOf(rowWeights(y, (c) => byClass[c]!, rows));
    return [{ loss: logisticLoss(y, classes === 2 ? 1 : classes, shares), sum }];
  }
  return positivesOf(classes).map((positive) => {
    const { shares, sum } = sharesOf(
      rowWeights(y, (c) => weightAgainstRest(loss, byClass, positive, c), rows),
    );
    const targets = Float64Array.from(y, (c) => (c === positive ? 1 : -1));
    const make = loss === 'squaredHinge' ? squaredHingeLoss : squaredErrorLoss;
    return { loss: make(targets, shares), sum };
  });
}

/** Matrices of `rows` rows beside each other, row-major. */
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
