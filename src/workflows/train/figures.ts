import type { HeadResult } from '../../results/head-result.ts';
import type { Split } from '../../core/sample.ts';
import * as metrics from '../../classify/evaluate/metrics.ts';
import type { Tally } from '../../classify/evaluate/tally.ts';
import type { FittedHead } from '../../classify/head.ts';
import { headEntry } from '../../classify/heads/index.ts';
import type { TrainedHead } from './trained-head.ts';

/** What a fitted head said of the validated images, in the order of their paths. */
export interface Validation extends Pick<HeadResult, 'pooling' | 'backbone' | 'normalize' | 'fitMs' | 'predictMs'> {
  readonly tally: Tally;
  /** The path of the validated image of a row of the tally; asked for the mistakes alone. */
  readonly pathOf: (row: number) => string;
  readonly validatedOn: Split;
  /** Images trained on. */
  readonly trained: number;
  /** Images of that split that were not validated on, for files of the same content were trained on. */
  readonly leftOut: number;
}

/** Those parameters of a head that are not its defaults. */
export function changedParams(head: string, params: HeadResult['params']): HeadResult['params'] {
  const { options } = headEntry(head);
  return Object.fromEntries(Object.entries(params).filter(([key, value]) => options[key]?.default !== value));
}

/** The figures of a fitted head on the validated images. */
export function figuresOf(
  head: FittedHead,
  { pooling, backbone, normalize, fitMs, predictMs, tally, pathOf, trained, validatedOn, leftOut }: Validation,
): Pick<TrainedHead, 'result' | 'judged' | 'confusion' | 'mistakes'> {
  const { classes, truth, guess, losses } = tally;
  const k = classes.length;
  const known = head.classes.length;
  const confusion = metrics.confusionMatrix(truth, guess, k);
  return {
    result: {
      name: head.name,
      pooling,
      ...(backbone !== undefined && { backbone }),
      normalize,
      params: head.params,
      changed: changedParams(head.name, head.params),
      accuracy: metrics.accuracy(truth, guess),
      interval: metrics.wilsonInterval(metrics.hits(truth, guess), truth.length),
      balancedAccuracy: metrics.balancedAccuracy(metrics.classScores(confusion, k)),
      logLoss: tally.logLoss(),
      fitMs,
      predictMs,
      converged: head.converged,
      iterations: head.iterations,
      ...(head.learningCurve && { learningCurve: head.learningCurve }),
      notes: head.notes,
      ...(head.temperature !== undefined && { temperature: head.temperature }),
      trained,
      validated: truth.length,
      validatedOn,
      ...(leftOut > 0 && { leftOut }),
      ...(k > known && { unlearned: classes.slice(known) }),
    },
    judged: { truth: truth.map((c) => (c < known ? c : -1)), guess, losses },
    confusion: { classes, counts: classes.map((_, c) => [...confusion.subarray(c * k, (c + 1) * k)]) },
    mistakes: tally.mistakes().map((mistake) => ({
      path: pathOf(mistake.row),
      label: classes[mistake.truth]!,
      predicted: classes[mistake.predicted]!,
      probability: mistake.probability,
    })),
  };
}
