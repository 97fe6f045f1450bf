import { random } from '../../core/random.ts';
import { auroc } from '../evaluate/auroc.ts';
import type { Measure } from './novelty-score.ts';
import { scoreAtShare } from './reject-threshold.ts';

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

/** A class that was left out: its rows, and known rows that were held out too, as the head without it scores them. */
export interface LeftOutTrial {
  readonly label: string;
  readonly unknown: ScoresByMeasure;
  readonly known: ScoresByMeasure;
}

/** How a measure detects a class that was left out. */
export interface LeftOutClass {
  readonly label: string;
  readonly auroc: number;
  /** Share of its rows above the score that a share of the known rows lies above, for the same head. */
  readonly rejected: number;
}

/** A class left out, by one measure; `share`: of the known rows that are rejected. */
export const leftOutClass = (
  measure: Measure,
  { label, unknown, known }: LeftOutTrial,
  share: number,
): LeftOutClass => {
  const scores = unknown.get(measure)!;
  const threshold = scoreAtShare(known.get(measure)!, share);
  return {
    label,
    auroc: auroc(scores, known.get(measure)!),
    rejected: scores.filter((score) => score > threshold).length / scores.length,
  };
};

/**
 * How far a measure's mean AUROC must lie above the default's, and that in standard errors of the classes' differences:
 * bench/classify/unknown-rate.mjs. Of a handful of classes the highest mean is mostly chance.
 */
const MARGIN = 0.05;
const ERRORS = 2;

export interface MeasureChoice {
  readonly measure: Measure;
  /** Mean AUROC of each measure over the trials; empty where there were none. */
  readonly measures: readonly { readonly measure: Measure; readonly auroc: number }[];
}

/** The default, or where another detects left-out classes clearly better, the best of those. */
export function chooseMeasure(
  measures: readonly Measure[],
  trials: readonly LeftOutTrial[],
  fallback: Measure,
): MeasureChoice {
  if (trials.length === 0) return { measure: fallback, measures: [] };
  const areas = new Map(
    measures.map((measure) => [
      measure,
      trials.map(({ unknown, known }) => auroc(unknown.get(measure)!, known.get(measure)!)),
    ]),
  );
  const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  const ranked = measures.map((measure) => ({ measure, auroc: mean(areas.get(measure)!) }));
  const isClearlyBetter = (measure: Measure): boolean => {
    const differences = areas.get(measure)!.map((area, i) => area - areas.get(fallback)![i]!);
    const gain = mean(differences);
    const variance = differences.reduce((sum, value) => sum + (value - gain) ** 2, 0) / (differences.length - 1);
    return trials.length > 2 && gain > MARGIN && gain > ERRORS * Math.sqrt(variance / differences.length);
  };
  const best = ranked
    .filter(({ measure }) => measure === fallback || isClearlyBetter(measure))
    .reduce((a, b) => (b.auroc > a.auroc ? b : a));
  return { measure: best.measure, measures: ranked };
}
