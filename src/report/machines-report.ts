import type { MergeResult, PartResult, PartsResult, PlanResult, UnitState } from '../results/machines-result.ts';
import { failuresText } from './extract-report.ts';
import { plural, seconds } from './format.ts';
import { printable } from './printable.ts';
import { textFields } from './text-table.ts';

type Engine = PlanResult['engine'];
const engineText = ({ name, version, device, precision }: Engine): string =>
  `${name} ${version}, ${device}, ${precision}`;

export function planText(result: PlanResult): string {
  const { store, run, plan, dataset, images, units, unitSize, parts, finished, engine, cut, contract } = result;
  const next = [
    '',
    `On every machine that sees ${result.shared === undefined ? 'this folder' : 'this address'}, one part each (or --part auto in an array job):`,
    `  permafrost extract --plan ${result.shared ?? plan} --part 1/${parts}`,
    ...(result.network === undefined
      ? []
      : [
          `  with --weights FILE where the network lies elsewhere than at ${result.network.file}: its digest counts, not its name`,
        ]),
    'How far it is, and the store when all is done:',
    `  permafrost parts ${store}`,
    `  permafrost merge ${store}`,
    '',
  ].join('\n');
  return (
    textFields([
      ['data set', `${dataset}: ${plural(images, 'image')}`],
      ['plan', plan],
      ['units', `${units} of ${plural(unitSize, 'image')}, in ${plural(parts, 'part')}; ${finished} finished`],
      ...(result.known > 0
        ? [['known', `${plural(result.known, 'content')} of the store; units do not extract them again`] as const]
        : []),
      ['features', `${cut}, contract ${contract}`],
      ['engine', `${engineText(engine)}, for all machines`],
      ['run', run],
    ]) +
    failuresText(result.failed) +
    next
  );
}

export function partText({
  part,
  parts,
  units,
  made,
  there,
  lostRaces,
  extracted,
  known,
  failures,
  plan,
  seconds: s,
}: PartResult): string {
  const speed = s > 0 && extracted > 0 ? ` (${(extracted / s).toFixed(1)} images/s with loading)` : '';
  const others = lostRaces > 0 ? `, ${lostRaces} finished by another first` : '';
  return textFields([
    ['plan', plan],
    ['part', `${part} of ${parts}: ${plural(units, 'unit')}`],
    ['units', `${made} made, ${there} there already${others}`],
    ['extraction', `${plural(extracted, 'image')} in ${seconds(s)}${speed}, ${failures} failed`],
    ...(known > 0 ? [['known', `${plural(known, 'image')} more, whose features the store has`] as const] : []),
  ]);
}

function unitText({ unit, host, done, of, silentSeconds }: UnitState): string {
  const state = done === null ? 'begun' : `${done} of ${of} images`;
  return `  unit ${unit} on ${printable(host)}: ${state}, last heard of ${silentSeconds} s ago`;
}

/** Units and machines that are named at most. */
const MOST = 20;

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const rest = lines.length > MOST ? [`  and ${lines.length - MOST} more (all of them with --json)`] : [];
  return ['', `${title}:`, ...lines.slice(0, MOST), ...rest, ''].join('\n');
}

export function partsText(result: PartsResult): string {
  const { run, units, finished, images, finishedImages, failures, underWay, dead, missing, missingParts } = result;
  const { imagesPerSecond, machines, processors, store } = result;
  const left = images - finishedImages;
  const time = imagesPerSecond > 0 && left > 0 ? `, about ${seconds(left / imagesPerSecond)} left` : '';
  const fields: [string, string][] = [
    ['run', run],
    ['units', `${finished} of ${units} finished, ${underWay.length} under way, ${dead.length} dead`],
    ['images', `${finishedImages} of ${images}, ${failures} failed`],
    ['speed', `${imagesPerSecond.toFixed(1)} images/s${time}`],
  ];
  if (missing !== '') fields.push(['missing', `units ${missing}; parts with the array indices ${missingParts}`]);
  if (processors.length > 1)
    fields.push(['processors', `${processors.length} kinds: features agree to the last digits`]);
  const next = finished === units ? `\nAll are finished: permafrost merge ${store}\n` : '';
  return (
    textFields(fields) +
    section('under way', underWay.map(unitText)) +
    section('dead (silent for a minute)', dead.map(unitText)) +
    section(
      'machines',
      machines.map(
        ({ host, processor, units: made, images: some, imagesPerSecond: rate }) =>
          `  ${printable(host)}: ${plural(made, 'unit')}, ${plural(some, 'image')}, ${rate.toFixed(1)} images/s a unit, ${printable(processor)}`,
      ),
    ) +
    next
  );
}

export function mergeText(result: MergeResult): string {
  const { store, dataset, units, missingUnits, added, there, thereExtracted, copies, heldOutViews, splits, classes } =
    result;
  const { linkedShards, rewrittenShards, failed, cut, engine, processors, keptParts, run } = result;
  const counts = Object.entries(splits).map(([split, n]) => `${n} ${split}`);
  const views = heldOutViews > 0 ? `, ${plural(heldOutViews, 'view')} of held out images dropped` : '';
  return (
    textFields([
      ['data set', `${dataset}: ${counts.join(', ') || 'no images'}, ${plural(classes.length, 'class', 'classes')}`],
      ['store', store],
      ['features', `${cut}; ${engineText(engine)}`],
      [
        'units',
        `${units - missingUnits} of ${units} merged, by ${plural(processors.length, 'kind of processor', 'kinds of processors')}`,
      ],
      [
        'contents',
        `${added} added, ${there} there before${thereExtracted > 0 ? ` (${thereExtracted} extracted all the same)` : ''}, ${plural(copies, 'copy', 'copies')} computed by several units${views}`,
      ],
      ['shards', `${linkedShards} taken as they are, ${rewrittenShards} written anew`],
      ...(keptParts ? [['kept', `plan and units of the run ${run}`] as [string, string]] : []),
    ]) + failuresText(failed, `in ${store}/failures.csv`)
  );
}
