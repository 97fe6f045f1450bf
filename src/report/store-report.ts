import type {
  GcResult,
  MigrateResult,
  RepairResult,
  VerifyResult,
  DamagedFileResult,
} from '../results/store-results.ts';
import { bytes, plural } from './format.ts';

const damagedLines = (damaged: readonly DamagedFileResult[]): string =>
  damaged
    .map(
      ({ name, problem, rows }) => `  ${name}: ${problem}${rows > 0 ? ` (${plural(rows, 'row')} of features)` : ''}\n`,
    )
    .join('');

/** What is to be done about damaged files, a line for each way. */
function adviceOf(damaged: readonly DamagedFileResult[]): string {
  const needs = (...remedies: DamagedFileResult['remedy'][]): boolean =>
    damaged.some(({ remedy }) => remedies.includes(remedy));
  return [
    ...(needs('extract') ? ['"permafrost repair" drops them and extracts just those images again.\n'] : []),
    ...(needs('remove', 'renew')
      ? ['"permafrost repair" writes anew or removes what can be made again without the images.\n']
      : []),
    ...(needs('tell')
      ? ['What a person or another command made is left as it is: "permafrost repair" tells what to do about each.\n']
      : []),
  ].join('');
}

export function verifyText(result: VerifyResult): string {
  const { store, ok, files, bytes: size, damaged, missing, unfinished, orphans } = result;
  const read = `${store}: ${plural(files, 'file')}, ${bytes(size)} read`;
  const ends = unfinished.map(({ name, problem }) => `${name} has ${problem}.\n`).join('');
  const killed =
    orphans.length > 0
      ? `${plural(orphans.length, 'file')} left by a run that was killed; "permafrost gc" removes what nothing needs.\n`
      : '';
  const left = ends + killed;
  if (ok) return `${read}, every byte is what was written.\n${left}`;
  if (missing.length > 0 && damaged.length === 0) {
    const lines = missing
      .map(({ cut, images }) => `  ${cut} lacks the features of ${plural(images, 'image')}\n`)
      .join('');
    return `${read}, every byte is what was written, but features are MISSING:\n${lines}"permafrost repair" extracts them again.\n${left}`;
  }
  return `${read}, ${damaged.length} NOT what was written:\n${damagedLines(damaged)}${adviceOf(damaged)}${left}`;
}

export function repairText({ store, damaged, lostRows, extracted, next }: RepairResult): string {
  if (damaged.length === 0 && extracted === 0 && next === null) return `${store}: nothing is damaged.\n`;
  const done =
    damaged.length === 0
      ? `${store}: nothing was dropped; ${plural(extracted, 'image')} extracted${extracted > 0 ? ', which an earlier repair had left' : ''}.\n`
      : `${store}: dropped or wrote anew ${plural(damaged.length, 'damaged file')}, ${plural(lostRows, 'row')} of features with them; ${plural(extracted, 'image')} extracted again.\n${damagedLines(damaged)}`;
  return next === null ? done : `${done}${next}\n`;
}

export function migrateText({ store, from, to, sets, shards, rows, rewritten }: MigrateResult): string {
  if (from === to && rewritten === 0) return `${store}: version ${to} already, nothing to do.\n`;
  const kept = `${plural(rows, 'row')} in ${plural(shards, 'shard')} of ${plural(sets, 'set')}`;
  const anew =
    rewritten === 0
      ? ''
      : ` ${plural(rewritten, 'shard')} held labels as they were when they were written, and ${rewritten === 1 ? 'was' : 'were'} written anew without them.`;
  return `${store}: migrated from version ${from} to ${to}.${anew} The features of ${kept} are what they were.\n`;
}

export function gcText({ store, dryRun, droppedRows, droppedSets, removedFiles, removedBytes }: GcResult): string {
  if (removedFiles === 0 && droppedSets === 0) return `${store}: nothing to remove, everything in it is needed.\n`;
  const sets = droppedSets > 0 ? `${plural(droppedSets, 'other set')}, ` : '';
  return `${store}: ${dryRun ? 'would remove' : 'removed'} ${sets}${plural(droppedRows, 'row')} of features in ${plural(removedFiles, 'file')}, ${bytes(removedBytes)}.\n`;
}
