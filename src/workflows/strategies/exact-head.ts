import { matrixRows } from '../../core/rows.ts';
import { chooseStrength, DEFAULT_STRENGTH } from '../../classify/cross-validation/choose-strength.ts';
import type { CrossValidated } from '../../classify/cross-validation/choice.ts';
import { topClass } from '../../classify/evaluate/metrics.ts';
import { mcNemar } from '../../classify/evaluate/paired-tests.ts';
import { encodeLabels } from '../../classify/labels.ts';
import { applyNormalizer, fitNormalizer } from '../../classify/normalize.ts';
import type { StrategyHeldOut, StrategyName, StrategyTrial } from '../../results/strategies-result.ts';
import { judgeOutOfFold, type OutOfFoldWork } from '../train/judge-out-of-fold.ts';
import type { TrainingPlan } from '../train/plan.ts';
import { trainHead } from '../train/train-head.ts';
import type { Work } from '../work.ts';
import { scoreOf, type Answers } from './answers.ts';
import type { TrialFeatures } from './features.ts';
import { measured } from './measured.ts';

/** The head that is solved to its optimum, on rows of length 1. */
export const exactPlan = (C: number): TrainingPlan => ({ head: 'logistic', normalize: 'l2', options: { C } });

/** An exact head, its answers, and what it says of training images that it did not see. */
export interface ExactHead {
  readonly trial: Omit<StrategyTrial, 'comparison'>;
  readonly answers: Answers;
  /** Undefined where no training image could be held out. */
  readonly judged: OutOfFoldWork['judged'];
}

/** C by cross-validated log loss, as that of the frozen head that fine-tuning begins with. */
async function chooseC({ heldOut: { X, labels, folds, parts } }: TrialFeatures, { signal }: Work): Promise<number> {
  if (folds.length === 0) return DEFAULT_STRENGTH;
  const unit = applyNormalizer(await fitNormalizer('l2', matrixRows(X), parts), X);
  const { classes, indices } = encodeLabels(labels);
  return (await chooseStrength(unit, indices, classes.length, folds, signal && { signal })).C;
}

/**
 * Trains the exact head on features. `frozen` is the head that it is compared with on the training images; without it,
 * it is that head itself. Throws as trainHead.
 */
export async function exactHead(
  { strategy, name }: { readonly strategy: StrategyName; readonly name: string },
  features: TrialFeatures,
  frozen: ExactHead | undefined,
  { signal, listener }: Work,
): Promise<ExactHead> {
  const { data, heldOut } = features;
  // What a head takes is not reported, as it is of a head that is trained alone.
  const quiet: Work = { signal, listener: { progress: (state) => listener?.progress?.(state) } };
  const { value, seconds, peakBytes } = await measured(async () => {
    const C = await chooseC(features, quiet);
    const outOfFold = await judgeOutOfFold(exactPlan(C), heldOut, quiet);
    const trained = await trainHead(exactPlan(C), data, quiet, outOfFold);
    return { C, outOfFold, answers: trained.judged };
  });
  const { C, outOfFold, answers } = value;
  const figures = outOfFold.judged?.figures;
  const remarks =
    outOfFold.problem === undefined ? [] : [`C is ${C}, for it could not be chosen: ${outOfFold.problem}`];
  const trial = {
    ...{ strategy, name, seconds, peakBytes, curves: [], chosen: { C }, remarks },
    ...scoreOf(answers),
    heldOut: heldOutBeside(figures, frozen?.judged?.figures ?? figures),
  };
  return { trial, answers, judged: outOfFold.judged };
}

function heldOutBeside(own: CrossValidated | undefined, frozen: CrossValidated | undefined): StrategyHeldOut | null {
  if (own === undefined || frozen === undefined) return null;
  const { images, accuracy, logLoss } = own;
  const base = { accuracy: frozen.accuracy, logLoss: frozen.logLoss };
  return { by: 'crossValidation', images, accuracy, logLoss, frozen: base };
}

/** McNemar's test of two heads on training images that neither saw; null where they judged others. */
export function comparedOutOfFold(first: ExactHead, second: ExactHead): { readonly pValue: number } | null {
  const [a, b] = [first.judged, second.judged];
  if (a === undefined || b === undefined || a.keys.length !== b.keys.length) return null;
  if (a.keys.some((key, i) => key !== b.keys[i])) return null;
  return mcNemar(a.found.truth, topClass(a.found.P), topClass(b.found.P));
}
