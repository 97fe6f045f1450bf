import type { Matrix } from '../../core/matrix.ts';
import * as metrics from '../evaluate/metrics.ts';
import { mcNemar } from '../evaluate/paired-tests.ts';
import { scaledAcross } from '../out-of-fold/fold-temperatures.ts';
import type { OutOfFold } from '../out-of-fold/out-of-fold.ts';

/** How a head judges training images that it did not see. */
export interface CrossValidated {
  readonly accuracy: number;
  /** 95 % Wilson interval, images taken as independent. */
  readonly interval: readonly [low: number, high: number];
  /** Of scaled heads with each fold scaled by the temperature of the others. */
  readonly logLoss: number;
  /** Training images that were judged, in the first `folds` of `ofFolds`: fewer of a head that was beaten. */
  readonly images: number;
  readonly folds: number;
  readonly ofFolds: number;
}

/** Probabilities out of fold, shape (rows, classes): of scaled heads each fold by the temperature of the others. */
export function scaledOutOfFold({ truth, P, folds, leastShare }: OutOfFold, isScaled: boolean): Matrix {
  if (!isScaled) return P;
  let next = 0;
  const positions = folds.map(({ val }) => val.map(() => next++));
  return scaledAcross(truth, P, positions, leastShare);
}

/** The figures of a head out of fold. */
export function crossValidated(found: OutOfFold, isScaled: boolean): CrossValidated {
  const { truth, P, folds, ofFolds } = found;
  const guess = metrics.topClass(P);
  return {
    accuracy: metrics.accuracy(truth, guess),
    interval: metrics.wilsonInterval(metrics.hits(truth, guess), truth.length),
    logLoss: metrics.logLoss(truth, scaledOutOfFold(found, isScaled)),
    images: truth.length,
    folds: folds.length,
    ofFolds,
  };
}

/**
 * Which of two heads is chosen: one that was judged on all folds, the more accurate one, the lower log loss. Negative
 * where it is a. A head that could not be judged comes last.
 */
export function byCrossValidation(a: CrossValidated | undefined, b: CrossValidated | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  const isCut = ({ folds, ofFolds }: CrossValidated): number => Number(folds < ofFolds);
  return isCut(a) - isCut(b) || b.accuracy - a.accuracy || a.logLoss - b.logLoss;
}

/** What a head says out of fold, and stable names of the images that it judged, in the same order. */
export interface NamedOutOfFold {
  readonly found: OutOfFold;
  readonly keys: readonly string[];
}

/** A head whose chance of being as good is smaller is not judged further. */
const LEVEL = 0.02;

/**
 * Whether a head that was judged on the first folds is beaten by one that was judged on all, by McNemar's exact test on
 * the images that both judged (racing: Maron and Moore 1994, Hoeffding races). Never where they judged others.
 */
export function isBeaten(soFar: NamedOutOfFold, best: NamedOutOfFold): boolean {
  const own = soFar.keys;
  if (own.some((key, i) => key !== best.keys[i])) return false;
  const [guess, bestGuess] = [metrics.topClass(soFar.found.P), metrics.topClass(best.found.P)];
  const { onlyFirst, onlySecond, pValue } = mcNemar(soFar.found.truth, guess, bestGuess.subarray(0, own.length));
  return onlyFirst < onlySecond && pValue < LEVEL;
}
