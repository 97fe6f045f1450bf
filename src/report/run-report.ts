import type { Confusion, HeadResult, Mistake, RunResult } from '../core/results.ts';
import { extractText } from './extract-report.ts';
import { milliseconds, parameters, plural, ratio, seconds } from './format.ts';
import { textTable } from './text-table.ts';

/** A table of heads in the given order. */
export function headsText(heads: readonly HeadResult[]): string {
  return textTable(
    [
      { title: 'head' },
      { title: 'features' },
      { title: 'accuracy', align: 'right' },
      { title: '95 % interval', align: 'right' },
      { title: 'balanced', align: 'right' },
      { title: 'log loss', align: 'right' },
      { title: 'fit', align: 'right' },
      { title: 'settings' },
    ],
    heads.map((head) => [
      head.converged ? head.name : `${head.name} (not converged)`,
      `${head.pooling}, ${head.normalize}`,
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
  const columns = [
    { title: 'true \\ predicted' },
    ...classes.map((_, i) => ({ title: String(i + 1), align: 'right' as const })),
  ];
  return textTable(
    columns,
    counts.map((line, i) => [`${i + 1} ${classes[i]}`, ...line.map((n) => (n === 0 ? '.' : String(n)))]),
  );
}

function mistakesText(mistakes: readonly Mistake[]): string {
  return textTable(
    [{ title: 'image' }, { title: 'is' }, { title: 'taken for' }, { title: 'probability', align: 'right' }],
    mistakes.map(({ path, label, predicted, probability }) => [
      path,
      label,
      predicted,
      probability.toFixed(3),
    ]),
  );
}

/** A whole run for a terminal: extraction, table of heads, the best head's confusion and surest mistakes. */
export function runText(result: RunResult): string {
  const best = result.heads[0];
  const parts = [extractText(result)];
  if (best !== undefined) {
    parts.push(
      `Heads trained on ${plural(best.trained, 'image')}, validated on ${best.validated} (${best.validatedOn}) in ${seconds(result.seconds.train ?? 0)}:`,
      headsText(result.heads),
    );
  }
  for (const { name, reason } of result.skipped) parts.push(`${name} was left out: ${reason}`);
  for (const head of result.heads)
    for (const note of head.notes) parts.push(`${head.name} (${head.pooling}): ${note}`);
  if (best !== undefined) {
    parts.push(`\nBest head: ${best.name} on ${best.pooling}`, confusionText(result.confusion));
    if (result.mistakes.length > 0) parts.push('Its surest mistakes:', mistakesText(result.mistakes));
    if (best.file !== null)
      parts.push(`Saved as ${best.file}; use it with: npx permafrost predict HEAD-FILE IMAGE`);
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** One trained head for a terminal. */
export function trainText(head: HeadResult): string {
  const { trained, validated, validatedOn, iterations, notes, file } = head;
  const lines = [
    headsText([head]).trimEnd(),
    `Trained on ${plural(trained, 'image')}, validated on ${validated} (${validatedOn}); ${plural(iterations, 'iteration')}.`,
    ...notes,
  ];
  if (file !== null) lines.push(`Saved as ${file}`);
  return `${lines.join('\n')}\n`;
}
