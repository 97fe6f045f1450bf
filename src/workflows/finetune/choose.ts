import { plural } from '../../core/words.ts';
import type { FinetuneChoice, FinetuneTrial, HeldOutScore } from '../../results/finetune-result.ts';

/** A rate after some epochs, as it did on the held-out images. */
export interface Candidate {
  readonly rate: number;
  readonly epochs: number;
  readonly heldOut: HeldOutScore;
}

/**
 * How much better a network is than epoch 0 on the same held-out images: the mean of the losses' differences and its
 * standard error. Both losses: one an image, shape (n).
 */
export function gainOver(before: Float64Array, now: Float64Array): Pick<HeldOutScore, 'gain' | 'gainError'> {
  const n = now.length;
  const differences = before.map((loss, i) => loss - now[i]!);
  const gain = differences.reduce((sum, value) => sum + value, 0) / n;
  const squares = differences.reduce((sum, value) => sum + (value - gain) ** 2, 0);
  // One image tells nothing of the error: then it is as large as the gain, which so never counts.
  return { gain, gainError: n < 2 ? Math.abs(gain) : Math.sqrt(squares / (n - 1) / n) };
}

/** The candidate of the least held-out log loss: of equals the earlier epoch, then the rate that was tried first. */
export function bestCandidate(trials: readonly FinetuneTrial[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const { rate, epochs } of trials)
    for (const { epoch, heldOut } of epochs) {
      if (epoch === 0 || heldOut === undefined) continue;
      const difference = best === undefined ? -1 : heldOut.logLoss - best.heldOut.logLoss;
      if (difference < 0 || (difference === 0 && epoch < best!.epochs)) best = { rate, epochs: epoch, heldOut };
    }
  return best;
}

/**
 * Whether a candidate is taken in place of the frozen head: it must be better by more than one standard error of the
 * difference (Breiman et al. 1984, section 3.4.3, between two models: the simpler one unless the other is better by
 * more). The least of several noisy losses is too low by itself; without this margin a network that learned nothing
 * would be taken nearly always.
 */
export const beatsFrozen = ({ heldOut: { gain, gainError } }: Candidate): boolean => gain > gainError;

/** What the trials say: the best candidate, or the frozen head. */
export function chooseCandidate(trials: readonly FinetuneTrial[]): FinetuneChoice {
  const best = bestCandidate(trials)!;
  const { rate, epochs, heldOut } = best;
  const before = trials[0]!.epochs[0]!.heldOut!;
  const digits = (value: number): string => value.toFixed(4);
  const found = `the best of ${trials.reduce((sum, trial) => sum + trial.epochs.length - 1, 0)} networks that were tried, rate ${rate.toExponential()} after ${plural(epochs, 'epoch')}, has a held-out log loss of ${digits(heldOut.logLoss)} where the frozen head has ${digits(before.logLoss)}`;
  const margin = `(better by ${digits(heldOut.gain)}, standard error ${digits(heldOut.gainError)})`;
  return beatsFrozen(best)
    ? { kept: 'tuned', rate, epochs, reason: `Fine-tuned: ${found} ${margin}.` }
    : {
        kept: 'frozen',
        rate,
        epochs,
        reason: `The frozen head is kept, for fine-tuning did not beat it by more than one standard error: ${found} ${margin}.`,
      };
}
