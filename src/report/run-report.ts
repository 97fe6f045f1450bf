import type { Confusion, HeadResult, Mistake, RunResult, ViewsBenefit, LearningCurve } from '../results/head-result.ts';
import { answersText } from './answers/answers-text.ts';
import { extractText } from './extract-report.ts';
import { milliseconds, parameters, plural, ratio, seconds, signed } from './format.ts';
import { printable } from './printable.ts';
import { firstLines, savedText, scoreRemarks, testText } from './score-report.ts';
import { strategiesText } from './strategies-report.ts';
import { rejectLines } from './reject-report.ts';
import { left, right, textTable } from './text-table.ts';
import { looksText, pText, toldApartText, viewsVerdict } from './told-apart.ts';

/** A cross-validated accuracy; of a head that was beaten on the first folds, that of those. */
export function crossValidatedText({ crossValidated }: HeadResult): string {
  if (crossValidated === undefined) return '-';
  const { accuracy, folds, ofFolds } = crossValidated;
  return folds < ofFolds ? `${ratio(accuracy)} (${folds} of ${ofFolds} folds)` : ratio(accuracy);
}

/** A table of heads in the given order. */
export function headsText(heads: readonly HeadResult[]): string {
  const judged = heads.some(({ crossValidated }) => crossValidated !== undefined);
  const several = heads.some(({ backbone }) => backbone !== undefined);
  const split = heads[0]?.validatedOn ?? 'val';
  return textTable(
    [
      ...left('head', ...(several ? ['backbone'] : []), 'features'),
      ...(judged ? right('cross-validated') : []),
      ...right(judged ? `accuracy on ${split}` : 'accuracy', '95 % interval', 'balanced', 'log loss', 'fit'),
      ...left('settings'),
    ],
    heads.map((head) => [
      head.converged ? head.name : `${head.name} (not converged)`,
      ...(several ? [head.backbone ?? ''] : []),
      `${head.pooling}, ${head.normalize}`,
      ...(judged ? [crossValidatedText(head)] : []),
      ratio(head.accuracy),
      `${ratio(head.interval[0])} .. ${ratio(head.interval[1])}`,
      ratio(head.balancedAccuracy),
      ratio(head.logLoss),
      milliseconds(head.fitMs),
      parameters(head.changed) || 'defaults',
    ]),
  );
}

/** A confusion matrix: rows are true classes, columns predicted ones, by their numbers where names would not fit. */
export function confusionText({ classes, counts }: Confusion): string {
  return textTable(
    [...left('true \\ predicted'), ...right(...classes.map((_, i) => String(i + 1)))],
    counts.map((line, i) => [`${i + 1} ${classes[i]}`, ...line.map((n) => (n === 0 ? '.' : String(n)))]),
  );
}

function mistakesText(mistakes: readonly Mistake[]): string {
  return textTable(
    [...left('image', 'is', 'taken for'), ...right('probability')],
    mistakes.map(({ path, label, predicted, probability }) => [path, label, predicted, probability.toFixed(3)]),
  );
}

/** A learning curve in one line: its first and last epoch, and the best where rows were held out. */
export function learningCurveText({ loss, accuracy, valLoss, valAccuracy }: LearningCurve): string {
  const span = (values: readonly number[], digits: number): string =>
    `${values[0]!.toFixed(digits)} to ${values.at(-1)!.toFixed(digits)}`;
  const text = `${plural(loss.length, 'epoch')}: loss ${span(loss, 4)}, accuracy ${span(accuracy, 3)}`;
  if (valLoss === undefined) return text;
  const best = valLoss.indexOf(Math.min(...valLoss));
  return `${text}; kept epoch ${best + 1}: held-out loss ${valLoss[best]!.toFixed(4)}, accuracy ${valAccuracy![best]!.toFixed(3)}`;
}

/** What views were worth to a head, in one line. */
export function viewsText(views: ViewsBenefit): string {
  const { count, accuracyWithout, difference, interval, pValue, onlyWith, onlyWithout } = views;
  const changed =
    onlyWith === undefined || onlyWithout === undefined
      ? ''
      : onlyWith + onlyWithout === 0
        ? ', on no image was one right and the other wrong'
        : `, ${onlyWith} right with them alone, ${onlyWithout} without alone`;
  return `${plural(count, 'view')} of each image: accuracy ${signed(difference)} beside ${ratio(accuracyWithout)} without${changed} (95 % interval ${signed(interval[0])} to ${signed(interval[1])}, McNemar p ${pText(pValue)}): ${viewsVerdict(views)}`;
}

function headLines({ learningCurve, views, notes }: HeadResult): string[] {
  return [
    ...(views ? [viewsText(views)] : []),
    ...(learningCurve ? [learningCurveText(learningCurve)] : []),
    ...notes.map(printable),
  ];
}

/** What the best head was chosen by, and which of its figures the choice did not touch. */
export function choiceText({ heads, choice }: Pick<RunResult, 'heads' | 'choice'>): string {
  const [best] = heads;
  if (best === undefined) return '';
  const { accuracy, interval, validated, validatedOn, crossValidated } = best;
  const measured = `accuracy ${ratio(accuracy)} (95 % interval ${ratio(interval[0])} .. ${ratio(interval[1])}) on ${plural(validated, `${validatedOn} image`)}`;
  if (choice?.by !== 'crossValidation' || crossValidated === undefined)
    return heads.length < 2
      ? `${measured}.`
      : `It was chosen among ${heads.length} by its ${measured}: as the best of them that figure is too high${choice?.reason ? ` (${printable(choice.reason)})` : ''}.`;
  return `It was chosen among ${heads.length} by cross-validation on ${plural(crossValidated.images, 'training image')} (${ratio(crossValidated.accuracy)}, a little too high as the best of them). Its ${measured}, which had no part in the choice.`;
}

/** A whole run for a terminal: extraction, table of heads, the best head's confusion and surest mistakes. */
export function runText(result: RunResult): string {
  const best = result.heads[0];
  const first = firstLines(result);
  const parts = [...(first.length > 0 ? [...first, ''] : []), extractText(result)];
  if (best !== undefined) {
    parts.push(
      `Heads trained on ${plural(best.trained, 'image')}, validated on ${best.validated} (${best.validatedOn}) in ${seconds(result.seconds.train ?? 0)}:`,
      headsText(result.heads),
      ...(best.looks === undefined ? [] : [looksText(best.looks, best.validatedOn)]),
      `${toldApartText(result.heads)}\n`,
    );
  }
  for (const { name, reason } of result.skipped) parts.push(`${name} was left out: ${printable(reason)}`);
  for (const head of result.heads)
    for (const line of headLines(head)) parts.push(`${head.name} (${head.pooling}): ${line}`);
  if (best !== undefined) {
    parts.push(
      `\nBest head: ${best.name} on ${best.pooling}`,
      `${choiceText(result)}\n`,
      confusionText(result.confusion),
    );
    if (result.mistakes.length > 0) parts.push('Its surest mistakes:', mistakesText(result.mistakes));
    if (best.reject !== undefined) parts.push(...rejectLines(best.reject));
    if (best.test !== undefined) parts.push(testText(best.test));
    if (best.file !== null) parts.push(`${savedText(best)}; use it with: npx permafrost predict HEAD-FILE IMAGE`);
    if (best.answers !== undefined) parts.push(answersText(best.answers));
  }
  if (result.strategies !== undefined) parts.push(strategiesText(result.strategies));
  return `${parts.join('\n').trimEnd()}\n`;
}

export function trainText(head: HeadResult): string {
  const { trained, relabelled, validated, validatedOn, looks, iterations, file } = head;
  const lines = [
    headsText([head]).trimEnd(),
    `Trained on ${plural(trained, 'image')}, validated on ${validated} (${validatedOn}); ${plural(iterations, 'iteration')}.`,
    ...(looks === undefined ? [] : [looksText(looks, validatedOn)]),
    ...(relabelled === undefined
      ? []
      : [`${plural(relabelled, 'image')} counted under another label or split than the store's.`]),
    ...scoreRemarks(head),
    ...(head.test === undefined ? [] : [testText(head.test)]),
    ...headLines(head),
    ...(head.reject === undefined ? [] : rejectLines(head.reject)),
  ];
  if (file !== null) lines.push(savedText(head));
  if (head.answers !== undefined) lines.push(answersText(head.answers));
  return `${lines.join('\n')}\n`;
}
