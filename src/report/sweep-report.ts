import { answersText } from './answers/answers-text.ts';
import type { RankedCandidate, SweepConfiguration, SweepResult, SweepScore } from '../results/sweep-result.ts';
import { rejectLines } from './reject-report.ts';
import { milliseconds, parameters, plural, ratio, seconds } from './format.ts';
import { printable } from './printable.ts';
import { left, right, textTable } from './text-table.ts';
import { comparisonRule, looksText, pText } from './told-apart.ts';
import { viewsText } from './run-report.ts';
import { savedText, scoreRemarks } from './score-report.ts';

const SCORE_TITLES: Readonly<Record<SweepScore, string>> = {
  accuracy: 'accuracy',
  balancedAccuracy: 'balanced',
  logLoss: 'log loss',
};

const featuresOf = ({ cut, pooling, normalize, pca, views }: SweepConfiguration): string =>
  `${cut === '' ? '' : `${cut} `}${pooling}, ${normalize}${pca > 0 ? `, pca ${pca}` : ''}${views > 0 ? `, ${plural(views, 'view')}` : ''}`;

function leaderboard(candidates: readonly RankedCandidate[], score: SweepScore): string {
  const others = (['accuracy', 'balancedAccuracy', 'logLoss'] as const).filter((other) => other !== score);
  return textTable(
    [
      ...right('#'),
      ...left('head', 'features'),
      ...right(`${SCORE_TITLES[score]} (held out)`, '95 % interval', ...others.map((other) => SCORE_TITLES[other])),
      ...right('p against the best, adjusted', 'fits'),
      ...left('settings'),
    ],
    candidates.map((candidate) => {
      const { rank, head, scores, converged, fitMs, changed, adjusted = 1 } = candidate;
      const { value, interval } = scores[score];
      return [
        String(rank),
        converged ? head : `${head} (not converged)`,
        featuresOf(candidate),
        ratio(value),
        `${ratio(interval[0])} .. ${ratio(interval[1])}`,
        ...others.map((other) => ratio(scores[other].value)),
        rank === 1 ? '' : pText(adjusted),
        milliseconds(fitMs),
        parameters(changed) || 'defaults',
      ];
    }),
  );
}

/** Why configurations could not be fitted, each reason once. */
function skippedLines(skipped: SweepResult['skipped']): string[] {
  const reasons = new Map<string, SweepConfiguration[]>();
  for (const one of skipped) reasons.set(one.reason, [...(reasons.get(one.reason) ?? []), one]);
  return [...reasons].map(([reason, ones]) => {
    const [first] = ones;
    const more = ones.length > 1 ? ` and ${ones.length - 1} more` : '';
    return `Not fitted: ${first!.head} (${featuresOf(first!)})${more}: ${printable(reason)}`;
  });
}

/** A sweep for a terminal: the best `top` candidates, what cannot be told apart, the best on the validation images. */
export function sweepText(result: SweepResult, top: number): string {
  const { candidates, score, images, crossValidated, classes, folds, seed, workers, computed, reused } = result;
  const { best, notToldApart, passedOver } = result;
  const chosen = candidates[passedOver.length]!;
  const shown = candidates.slice(0, top);
  const measured = best.validatedOn;
  const lines = [
    `${plural(candidates.length, 'configuration')} cross-validated on ${crossValidated < images ? `${crossValidated} of ${images} training images` : plural(images, 'training image')} of ${plural(classes.length, 'class', 'classes')} in ${folds} folds (seed ${seed}): ${computed} computed in ${seconds(result.seconds.sweep)} on ${plural(workers, 'thread')}, ${reused} known from before.`,
    ...(result.leftOut === undefined
      ? []
      : [
          `Left out, with one training image each: ${result.leftOut.map((label) => printable(JSON.stringify(label))).join(', ')}. The best head is fitted on them too.`,
        ]),
    leaderboard(shown, score).trimEnd(),
    ...(candidates.length > shown.length
      ? [`and ${candidates.length - shown.length} more (--top ${candidates.length}, or all with --json)`]
      : []),
    ...skippedLines(result.skipped),
    '',
    candidates.length === 1
      ? 'There is nothing to compare the one candidate with.'
      : `${notToldApart} of the ${candidates.length - 1} others cannot be told from the best at 5 % (${comparisonRule(candidates.length - 1, 'held-out images', candidates[0]!.test)}).`,
    ...(passedOver.length === 0
      ? []
      : [
          `Passed over, for they cannot be fitted on all ${images} training images within the memory: ${passedOver.map(({ rank }) => `number ${rank}`).join(', ')} (${printable(passedOver[0]!.reason)})`,
        ]),
    'The best was chosen by the figures above, so its own is a little too high, and the intervals are those of the heads of these folds. Its figure on images that had no part in the choice:',
    `${best.name} (${featuresOf(chosen)}, ${parameters(chosen.changed) || 'defaults'}) trained on all ${best.trained} training images: accuracy ${ratio(best.accuracy)} (${ratio(best.interval[0])} .. ${ratio(best.interval[1])}), balanced ${ratio(best.balancedAccuracy)}, log loss ${ratio(best.logLoss)} on ${plural(best.validated, `${measured} image`)}.`,
    ...scoreRemarks(best),
    ...(best.looks === undefined ? [] : [looksText(best.looks, measured)]),
    ...(best.views === undefined ? [] : [viewsText(best.views)]),
    ...(best.reject === undefined ? [] : rejectLines(best.reject)),
    best.file === null
      ? 'Not saved: --save writes it to a head file.'
      : `${savedText(best)}; use it with: npx permafrost predict HEAD-FILE IMAGE`,
    ...(best.answers === undefined ? [] : [answersText(best.answers)]),
    `Results: ${printable(result.ledger)}`,
  ];
  return `${lines.join('\n')}\n`;
}
