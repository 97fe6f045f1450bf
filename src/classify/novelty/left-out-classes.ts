import { random } from '../../core/random.ts';
import { auroc } from '../evaluate/auroc.ts';
import type { Measure } from './novelty-score.ts';

/** The measure where fewer than three classes leave nothing to choose by: the steadiest in docs/unknown.md. */
export const DEFAULT_MEASURE: Measure = 'mean-distance';

/** Most classes that are left out in turn, each at the cost of a fit; drawn by the seed where there are more. */
const MOST_CLASSES = 10;

/** The classes that are left out in turn, sorted: with two or fewer none, for one alone is left then. */
export function classesLeftOut(classes: readonly string[], seed: number): string[] {
  if (classes.length < 3) return [];
  const drawn = random(seed)
    .shuffle([...classes])
    .slice(0, MOST_CLASSES);
  return drawn.sort();
}

/** Novelty scores of some rows by each measure. */
export type ScoresByMeasure = ReadonlyMap<Measure, Float64Array>;

/** A class that was left out: the scores of its rows, and those of known rows that were held out too. */
export interface LeftOutTrial {
  readonly unknown: ScoresByMeasure;
  readonly known: ScoresByMeasure;
}

export interface MeasureChoice {
  readonly measure: Measure;
  /** Mean AUROC of each measure over the trials; empty where there were none. */
  readonly measures: readonly { readonly measure: Measure; readonly auroc: number }[];
  /** The share of all rows of classes left out whose score lies above a threshold; null of none. */
  readonly rejectedAbove: (threshold: number) => number | null;
}

/** The measure that detects left-out classes best, of equals the first; DEFAULT_MEASURE without trials. */
export function chooseMeasure(measures: readonly Measure[], trials: readonly LeftOutTrial[]): MeasureChoice {
  const ranked = (trials.length === 0 ? [] : measures).map((measure) => {
    const areas = trials.map(({ unknown, known }) => auroc(unknown.get(measure)!, known.get(measure)!));
    return { measure, auroc: areas.reduce((sum, area) => sum + area, 0) / areas.length };
  });
  const { measure } = ranked.reduce((best, one) => (one.auroc > best.auroc ? one : best), {
    measure: DEFAULT_MEASURE,
    auroc: -1,
  });
  const scores = trials.flatMap(({ unknown }) => [...unknown.get(measure)!]);
  return {
    measure,
    measures: ranked,
    rejectedAbove: (threshold) =>
      scores.length === 0 ? null : scores.filter((score) => score > threshold).length / scores.length,
  };
}
