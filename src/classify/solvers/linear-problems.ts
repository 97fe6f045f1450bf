import { countClasses } from '../labels.ts';
import { logisticLoss } from './logistic-loss.ts';
import type { Loss } from './loss.ts';
import { GAP_TOLERANCE, squaredErrorLoss, squaredHingeLoss } from './margin-losses.ts';
import { classWeights, type ClassWeight } from './class-weights.ts';

/**
 * `logistic`: one binomial or multinomial problem (scikit-learn's LogisticRegression). `squaredHinge` (LinearSVC),
 * `squaredError` (RidgeClassifier, C = 1 / alpha): one for two classes, else one a class against the rest.
 */
export type LinearLoss = 'logistic' | 'squaredHinge' | 'squaredError';

/** Which rows to fit, on which classes, by which loss. */
export interface LinearTask {
  readonly loss: LinearLoss;
  /** Class index of each row, shape (n). */
  readonly y: Int32Array;
  readonly classes: number;
  readonly classWeight: ClassWeight;
  /** The rows to fit on, by default all. */
  readonly rows?: readonly number[];
}

/** A problem of a fit. Losses are made on demand: kept, ten classes of a million rows take 160 MB. */
export interface LinearProblem {
  /** Columns of logits. */
  readonly k: number;
  /** The duality gap over the objective that a converged fit may leave. */
  readonly gapTolerance?: number;
  /** Sum of the sample weights: what C is multiplied with. */
  readonly weightSum: number;
  /** The loss of rows [from, to), by default of all; those of parts add up to the whole. */
  loss(from?: number, to?: number): Loss;
  /** The loss of some rows, of which each class has some, as if they were all. */
  sampleLoss(rows: Int32Array): Loss;
}

/** The positive class of each problem: of two classes the second, of more each in turn. */
export function positivesOf(classes: number): readonly number[] {
  return classes === 2 ? [1] : Array.from({ length: classes }, (_, c) => c);
}

/** The problems of a task; all of them share its rows. */
export function problemsOf(task: LinearTask): LinearProblem[] {
  const { loss, classes } = task;
  const byClass = classWeights(task.y, classes, task.classWeight, task.rows);
  // A row that is left out has a class of its own, which weighs nothing.
  const y = task.rows === undefined ? task.y : new Int32Array(task.y.length).fill(classes);
  for (const i of task.rows ?? []) y[i] = task.y[i]!;
  const counts = countClasses(y, classes + 1);

  function problem(
    weightOf: (c: number) => number,
    make: (y: Int32Array, sampleWeights: Float64Array) => Loss,
  ): Omit<LinearProblem, 'k'> {
    const weights = Float64Array.from({ length: classes + 1 }, (_, c) => (c < classes ? weightOf(c) : 0));
    const weightSum = counts.reduce((sum, count, c) => sum + count * weights[c]!, 0);
    const lossOf = (some: Int32Array, of: Float64Array): Loss => {
      const sampleWeights = new Float64Array(some.length);
      for (let i = 0; i < some.length; i++) sampleWeights[i] = of[some[i]!]! / weightSum;
      return make(some, sampleWeights);
    };
    return {
      weightSum,
      loss: (from = 0, to = y.length) => lossOf(y.subarray(from, to), weights),
      sampleLoss(rows) {
        const some = Int32Array.from(rows, (i) => y[i]!);
        const sampled = countClasses(some, classes + 1);
        const scaled = weights.map((weight, c) => (weight * counts[c]!) / sampled[c]!);
        return lossOf(some, scaled);
      },
    };
  }

  if (loss === 'logistic') {
    const k = classes === 2 ? 1 : classes;
    const make = (some: Int32Array, weights: Float64Array): Loss => logisticLoss(some, k, weights);
    return [{ k, ...problem((c) => byClass[c]!, make) }];
  }
  const ofTargets = loss === 'squaredHinge' ? squaredHingeLoss : squaredErrorLoss;
  return positivesOf(classes).map((positive) => {
    // LIBLINEAR weighs only the one class where there is a rest, RidgeClassifier weighs every row by its class.
    const counted = (c: number): boolean => loss === 'squaredError' || classes === 2 || c === positive;
    const ofClass = problem(
      (c) => (counted(c) ? byClass[c]! : 1),
      (some, weights) => {
        const targets = new Float64Array(some.length);
        for (let i = 0; i < some.length; i++) targets[i] = some[i] === positive ? 1 : -1;
        return ofTargets(targets, weights);
      },
    );
    return { k: 1, ...ofClass, ...(loss === 'squaredHinge' && { gapTolerance: GAP_TOLERANCE }) };
  });
}
