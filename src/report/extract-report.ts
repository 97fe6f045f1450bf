import type { ExtractResult, NetworkExtracted, StageSeconds } from '../results/extract-result.ts';
import type { Failure } from '../core/sample.ts';
import { cosineText, plural, seconds } from './format.ts';
import { printable } from './printable.ts';
import { textFields } from './text-table.ts';

const MOST_FAILURES = 20;

/** At most twenty of the images that failed; empty where none did. `all` says where the rest is told. */
export function failuresText(failed: readonly Failure[], all = 'with --json'): string {
  if (failed.length === 0) return '';
  const lines = failed
    .slice(0, MOST_FAILURES)
    .map(({ path, code, reason }) => `  ${printable(JSON.stringify(path))}  ${code}: ${printable(reason)}`);
  const rest =
    failed.length > MOST_FAILURES ? [`  and ${failed.length - MOST_FAILURES} more (all of them ${all})`] : [];
  return ['', `${plural(failed.length, 'image')} failed:`, ...lines, ...rest, ''].join('\n');
}

/** A contract by its id, behind the name of its network where the id has none. */
const contractText = ({ contract, contractId }: Pick<ExtractResult, 'contract' | 'contractId'>): string =>
  contractId.startsWith(`${contract}-`) ? contractId : `${contract} (${contractId})`;

/** A further network of an extraction, in one line. */
function ofOtherText(other: NetworkExtracted): string {
  const { cut, engine, extracted, reused, failed } = other;
  const speed = extracted > 0 ? ` (${(extracted / other.seconds.extract).toFixed(1)} extracted images/s)` : '';
  return `${cut}, contract ${contractText(other)}, ${engine.name} ${engine.precision}: ${extracted} extracted, ${reused} reused, ${failed} failed in ${seconds(other.seconds.extract)}${speed}`;
}

export function extractText(result: ExtractResult): string {
  const { extracted, reused, unread, failed, engine } = result;
  const through = extracted + (result.views?.extracted ?? 0);
  const speed = through > 0 ? ` (${(through / result.seconds.extract).toFixed(1)} extracted images/s)` : '';
  const byTimes = unread > 0 ? ` (${unread} by size and time, unread)` : '';
  const splits = Object.entries(result.splits).map(([split, n]) => `${n} ${split}`);
  const fields: [string, string][] = [
    [
      'data set',
      `${result.dataset}: ${splits.join(', ') || 'no images'}, ${plural(result.classes.length, 'class', 'classes')}`,
    ],
    ['store', result.store],
    ['features', `${result.cut}, contract ${contractText(result)}, maps in ${result.dtype}`],
    ['engine', `${engine.name} ${engine.version}, ${engine.device}, ${engine.precision}`],
    [
      'extraction',
      `${extracted} extracted, ${reused} reused${byTimes}, ${failed.length} failed in ${seconds(result.seconds.extract)}${speed}`,
    ],
  ];
  if (result.backbone !== undefined) fields.splice(2, 0, ['backbone', result.backbone]);
  for (const other of result.others ?? []) fields.push([`and ${other.backbone}`, ofOtherText(other)]);
  if (result.tuned !== undefined) {
    const { fingerprint, from, fromMaps } = result.tuned;
    fields.push([
      'tuned',
      `from ${from} on, set ${fingerprint}: ${fromMaps} of ${plural(extracted, 'image')} from stored activations, by the tuned layers alone`,
    ]);
  }
  if (result.views !== null) {
    const { count, extracted: made, reused: kept } = result.views;
    fields.push(['views', `${count} of each training image: ${made} extracted, ${kept} reused`]);
  }
  if (result.cosineToFp32 !== null) fields.push(['int8', cosineText(result.cosineToFp32)]);
  if (result.extractedBecause !== null)
    fields.push(['not reused', `the stored features differ in ${result.extractedBecause}`]);
  return textFields(fields) + failuresText(failed, `in ${result.store}/failures.csv`);
}

/** Where an extraction's time went, for a terminal. */
export function traceText({ load, wait, infer, write, read, decode }: StageSeconds): string {
  const whole = load + wait + infer + write;
  const row = (name: string, s: number): [string, string] => [
    name,
    `${seconds(s)}${whole > 0 ? `, ${((100 * s) / whole).toFixed(1)} %` : ''}`,
  ];
  const fields = [
    row('loading the network', load),
    row('in the network', infer),
    row('waiting for pixels', wait),
    row('writing', write),
  ];
  fields.push([
    'beside it',
    `reading ${seconds(read)}, decoding ${seconds(decode)}: each image from start to end, its waits included`,
  ]);
  return `\nWhere the time went:\n${textFields(fields)}`;
}
