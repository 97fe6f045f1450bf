import { mcNemar } from '../../classify/evaluate/paired-tests.ts';
import { topClass } from '../../classify/evaluate/metrics.ts';
import type { StrategyHeldOut, StrategyName } from '../../results/strategies-result.ts';
import type { Listener } from '../../core/listener.ts';
import { judgeOutOfFold, type OutOfFoldWork } from '../train/judge-out-of-fold.ts';
import type { TrainingPlan } from '../train/plan.ts';
import { trainHead } from '../train/train-head.ts';
import type { Work } from '../work.ts';
import { answersOf } from './answers.ts';
import type { Tried } from './compare.ts';
import type { TrialFeatures } from './features.ts';
import { measured } from './measured.ts';

/** Values of C that are tried, scikit-learn's meaning. */
const PENALTIES = [1, 3, 10, 30, 100, 300] as const;

/** The head that is solved to its optimum, on rows of length 1. */
export const exactPlan = (C: number): TrainingPlan => ({ head: 'logistic', normalize: 'l2', options: { C } });

/** An exact head with what it says of training images that it did not see. */
export interface ExactHead extends Tried {
  /** Undefined where no training image could be held out. */
  readonly judged: OutOfFoldWork['judged'];
}

interface Chosen {
  readonly C: number;
  readonly outOfFold: OutOfFoldWork;
}

/** The C of the lowest cross-validated log loss: accuracy ties over a wide range of C on few images. */
async function chooseC({ heldOut }: TrialFeatures, work: Work): Promise<Chosen> {
  let best: Chosen | undefined;
  for (const C of PENALTIES) {
    const outOfFold = await judgeOutOfFold(exactPlan(C), heldOut, work);
    const loss = outOfFold.judged?.figures.logLoss ?? Infinity;
    if (best === undefined || loss < (best.outOfFold.judged?.figures.logLoss ?? Infinity)) best = { C, outOfFold };
  }
  return best!;
}

/** Where nothing can be held out, C is what `run` takes. */
const FALLBACK_C = 10;

/**
 * Trains the exact head on features. `frozen` is the head that it is compared with on the training images; without it,
 * it is that head itself. Throws as trainHead.
 */
export async function exactHead(
  { strategy, name }: { readonly strategy: StrategyName; readonly name: string },
  features: TrialFeatures,
  frozen: ExactHead | undefined,
  work: Work,
): Promise<ExactHead> {
  const { data } = features;
  const listener: Listener = { progress: (state) => work.listener?.progress?.(state) };
  const quiet = { signal: work.signal, listener };
  const { value, seconds, peakBytes } = await measured(async () => {
    const found = await chooseC(features, quiet);
    const isJudged = found.outOfFold.judged !== undefined;
    const C = isJudged ? found.C : FALLBACK_C;
    const trained = await trainHead(exactPlan(C), data, quiet, isJudged ? found.outOfFold : {});
    return { C, outOfFold: found.outOfFold, answers: await answersOf(trained, data.val) };
  });
  const { C, outOfFold, answers } = value;
  const figures = outOfFold.judged?.figures;
  const base = frozen?.judged?.figures ?? figures;
  const heldOut: StrategyHeldOut | null =
    figures === undefined || base === undefined
      ? null
      : {
          by: 'crossValidation',
          images: figures.images,
          accuracy: figures.accuracy,
          logLoss: figures.logLoss,
          frozen: { accuracy: base.accuracy, logLoss: base.logLoss },
        };
  return {
    trial: {
      strategy,
      name,
      seconds,
      peakBytes,
      heldOut,
      curves: [],
      chosen: { C },
      remarks: outOfFold.problem === undefined ? [] : [`C is ${C}, for it could not be chosen: ${outOfFold.problem}`],
    },
    answers,
    judged: outOfFold.judged,
  };
}

/** McNemar's test of two heads on training images that neither saw; null where they judged others. */
export function comparedOutOfFold(first: ExactHead, second: ExactHead): { readonly pValue: number } | null {
  const [a, b] = [first.judged, second.judged];
  if (a === undefined || b === undefined || a.keys.length !== b.keys.length) return null;
  if (a.keys.some((key, i) => key !== b.keys[i])) return null;
  return mcNemar(a.found.truth, topClass(a.found.P), topClass(b.found.P));
}
