import { blocksOf, joinedBlocks } from '../../core/rows.ts';
import { clippedLog, topClass, wilsonInterval, hits, accuracy } from '../../classify/evaluate/metrics.ts';
import type { StoredRows } from '../../store/read/rows.ts';
import type { StrategyTrial } from '../../results/strategies-result.ts';
import { probabilities, type TrainedHead } from '../train/trained-head.ts';

/** What a trained network says of the validated images, in the order of their paths: one number an image (n). */
export interface Answers {
  /** Class indices; -1 for a true class that the network does not know. */
  readonly truth: Int32Array;
  readonly guess: Int32Array;
  /** -ln(probability of the true class). */
  readonly losses: Float64Array;
}

/** What a head says of stored rows. */
export async function answersOf(trained: Pick<TrainedHead, 'head' | 'normalizer'>, rows: StoredRows): Promise<Answers> {
  const { classes } = trained.head;
  const indexOf = new Map(classes.map((label, c) => [label, c]));
  const answers = {
    truth: new Int32Array(rows.rows),
    guess: new Int32Array(rows.rows),
    losses: new Float64Array(rows.rows),
  };
  for await (const { start, X } of blocksOf(joinedBlocks(rows))) {
    const P = await probabilities(trained, X);
    topClass(P).forEach((guess, i) => {
      const place = rows.places[start + i]!;
      const truth = indexOf.get(rows.labels[start + i]!) ?? -1;
      answers.truth[place] = truth;
      answers.guess[place] = guess;
      answers.losses[place] = -clippedLog(truth < 0 ? 0 : P.data[i * P.cols + truth]!);
    });
  }
  return answers;
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Accuracy with its interval, and log loss. */
export const scoreOf = ({
  truth,
  guess,
  losses,
}: Answers): Pick<StrategyTrial, 'accuracy' | 'interval' | 'logLoss'> => ({
  accuracy: accuracy(truth, guess),
  interval: wilsonInterval(hits(truth, guess), truth.length),
  logLoss: mean(losses),
});
