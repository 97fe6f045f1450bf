import type { StrategyEpoch } from '../../results/strategies-result.ts';
import { trainHead } from '../train/train-head.ts';
import type { TrainedHead } from '../train/trained-head.ts';
import type { TrainingPlan } from '../train/plan.ts';
import type { Work } from '../work.ts';
import type { Answers } from './answers.ts';
import { pairedWith, type Tried } from './compare.ts';
import { measured } from './measured.ts';
import type { TrialFeatures } from './features.ts';

/** Epochs of the report. */
const EPOCHS = 5;
/** Part of the training images that its curve is watched on. */
const HELD_OUT = 0.2;

/** The report's head after so many epochs of Keras' Adam: no other stop, so that a longer run begins with a shorter. */
export const reportPlan = (epochs: number, validationFraction = 0): TrainingPlan => ({
  head: 'softmax',
  normalize: 'none',
  options: { maxEpochs: epochs, nIterNoChange: EPOCHS, tol: 0, validationFraction },
});

/**
 * The report's own head: Flatten and a dense softmax from random weights, five epochs. Its curve on a held-out fifth is
 * that of a training of its own; on the validated images, of one training an epoch, for the same seed takes the same
 * steps. Throws as trainHead.
 */
export async function reportHead(
  { data }: Pick<TrialFeatures, 'data'>,
  frozen: Answers,
  { signal }: Work,
): Promise<Tried> {
  const quiet = { signal };
  const { value, seconds, peakBytes } = await measured(() => trainHead(reportPlan(EPOCHS), data, quiet));
  const watched = (await trainHead(reportPlan(EPOCHS, HELD_OUT), data, quiet)).result.learningCurve!;
  const perEpoch: TrainedHead[] = [];
  for (let epoch = 1; epoch < EPOCHS; epoch++) perEpoch.push(await trainHead(reportPlan(epoch), data, quiet));
  const epochs = [...perEpoch, value].map(({ result }, i): StrategyEpoch => ({
    epoch: i + 1,
    heldOut: { accuracy: watched.valAccuracy![i]!, logLoss: watched.valLoss![i]! },
    val: { accuracy: result.accuracy, logLoss: result.logLoss },
  }));
  return pairedWith(
    {
      strategy: 'head-only',
      name: "the report's head: Flatten, Dense softmax",
      seconds,
      peakBytes,
      heldOut: null,
      curves: [{ name: 'Adam 0.001, five epochs', epochs }],
      chosen: { epochs: EPOCHS, learningRate: 1e-3 },
      remarks: [
        'Five epochs from random weights as in the report, nothing chosen. The curve on the held-out fifth is of a training without it.',
      ],
    },
    value.judged,
    frozen,
  );
}
