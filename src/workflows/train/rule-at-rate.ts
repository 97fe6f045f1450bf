import { PermafrostError } from '../../core/errors.ts';
import { percent } from '../../classify/novelty/choose-reject.ts';
import { rejectAtRate } from '../../classify/novelty/reject.ts';
import { rowsForRate } from '../../classify/novelty/reject-threshold.ts';
import type { OpenedHead } from './files/head-files.ts';
import type { RuleChoice } from './options.ts';

/**
 * The head with its rule for "unknown" at the share of false rejects that is asked for, or without one. Throws
 * OPTION_INVALID where it has no rule, or its file does not know the threshold for that share.
 */
export function withRuleAt(opened: OpenedHead, choice: RuleChoice): OpenedHead {
  const { reject, ...without } = opened;
  if (choice === 'trained') return opened;
  if (choice === 'off') return without;
  const rate = Number(choice);
  const found = reject && rejectAtRate(reject, rate);
  if (found !== undefined) return { ...without, reject: found };
  const asked = `--reject ${choice} asks for a rule for "unknown" at ${percent(rate)}`;
  const train = `Train it again with --reject ${choice}, or take --reject off`;
  if (reject === undefined)
    throw new PermafrostError('OPTION_INVALID', `${asked}, and the head has none at all. ${train}.`);
  const { calibration } = reject;
  const why =
    calibration === undefined
      ? `an older version wrote the head, which knows its own share alone, ${percent(reject.rate)}`
      : `the head's rule was calibrated on ${calibration.images} training images, and ${percent(rate)} needs ${rowsForRate(rate)}`;
  throw new PermafrostError(
    'OPTION_INVALID',
    `${asked}, and ${why}. ${calibration === undefined ? train : 'Train it on more images, or take another share'}, or leave --reject out.`,
  );
}
