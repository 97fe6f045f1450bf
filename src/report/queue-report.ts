import type { FilledResult, WorkerResult } from '../results/queue-result.ts';
import { plural, seconds } from './format.ts';
import { textFields } from './text-table.ts';

/** What a worker did, for a terminal. */
export function workerText({ run, queue, units, images, failures, missing, seconds: took }: WorkerResult): string {
  const { made, there, failed } = units;
  const others = [
    there > 0 ? `${there} were there` : '',
    units['lost-race'] > 0 ? `${units['lost-race']} published by another first` : '',
    failed > 0 ? `${failed} failed` : '',
  ].filter(Boolean);
  return textFields([
    ['run', `${run} on ${queue}`],
    ['units', [`${made} made here`, ...others].join(', ')],
    ['images', `${images}, ${failures} failed, in ${seconds(took)}`],
    [
      'left',
      missing === 0
        ? 'nothing: all units are there'
        : `${plural(missing, 'unit')} that failed at all attempts; "permafrost extract DATASET --queue" tries them again`,
    ],
  ]);
}

/** What was put on a queue, and what is to be done now. */
export function filledText({ plan, queue, units }: FilledResult): string {
  const { total, there, queued, before } = units;
  return (
    textFields([
      ['plan', plan],
      ['queue', queue],
      ['units', `${total}: ${there} there, ${queued} on the queue${before > 0 ? ` (${before} of them before)` : ''}`],
    ]) +
    [
      'On each machine that is to work:',
      `  permafrost worker ${queue} --plan ${plan}`,
      'To see how far it is, and to merge when all is there: the same command as here with --wait.',
      '',
    ].join('\n')
  );
}
