import { accuracy, hits, wilsonInterval } from '../../classify/evaluate/metrics.ts';
import type { StrategyTrial } from '../../results/strategies-result.ts';
import type { TrainedHead } from '../train/trained-head.ts';

/** What a trained network says of the validated images, in the order of their paths. */
export type Answers = TrainedHead['judged'];

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
