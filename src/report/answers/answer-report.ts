import type {
  EngineAgreement,
  IndexResult,
  NeighborResult,
  NeighborsResult,
  PredictResult,
} from '../../results/answer-results.ts';
import type { DoctorResult } from '../../results/engine-results.ts';
import type { InspectResult } from '../../results/store-results.ts';
import { POOLINGS, widthOf } from '../../core/sample.ts';
import { failuresText } from '../extract-report.ts';
import { bytes, cosineText, plural } from '../format.ts';
import { printable } from '../printable.ts';
import { left, right, textFields, textTable } from '../text-table.ts';
import { unusualText } from '../reject-report.ts';

function neighborLines(neighbors: readonly NeighborResult[]): string {
  return neighbors
    .map(({ distance, label, path }) => `    ${distance.toFixed(4)}  ${printable(label)}  ${printable(path)}\n`)
    .join('');
}

type Prediction = PredictResult['predictions'][number];

/** Whether the rule of the head says that an image is unknown, and not its probability alone. */
const isStrange = ({ strangeness }: Prediction): boolean =>
  strangeness !== null && strangeness.value > strangeness.threshold;

/** What is answered: the likeliest class and its probability, and where the image is unusual, how much so. */
function answer(one: Prediction): string {
  const { unknown, label, guess, probability, strangeness } = one;
  // What older versions wrote may have the word "unknown" as its label.
  const best = `${printable(unknown ? guess : label)} (${probability.toFixed(4)})`;
  return unknown && isStrange(one) ? `${best}; ${unusualText(strangeness!)}` : best;
}

/** The likeliest classes, where several were asked for. */
function classLines({ top = [] }: Prediction): string {
  return top.map(({ label, probability }) => `  ${probability.toFixed(4)}  ${printable(label)}\n`).join('');
}

/** That an image is unknown for nothing but its probability. */
function unsure(one: Prediction): string {
  return one.unknown && !isStrange(one) ? ', unknown: less likely than asked for' : '';
}

/** Predictions for a terminal: answer, probability, nearest training images of each image. */
export function predictText({
  predictions,
  failed,
  agreement,
}: Pick<PredictResult, 'predictions' | 'failed' | 'agreement'>): string {
  const blocks = predictions.map(
    (one) => `${printable(one.path)}: ${answer(one)}${unsure(one)}\n${classLines(one)}${neighborLines(one.neighbors)}`,
  );
  return blocks.join('') + standIn(agreement) + failuresText(failed);
}

/** Which engine answered in place of which, and what was checked. */
export function agreementText(agreement: EngineAgreement): string {
  const { own, other, by, images, sameClass, largestDifference, leastCosine } = agreement;
  const found = [
    ...(sameClass === null ? [] : [`the same class on ${sameClass} of ${plural(images, by.slice(0, -1))}`]),
    ...(largestDifference === null ? [] : [`no probability differs by more than ${largestDifference.toFixed(4)}`]),
    ...(leastCosine === null ? [] : [`the least cosine of the features is ${leastCosine.toFixed(5)}`]),
    ...(sameClass === null ? [`on ${plural(images, by.slice(0, -1))}`] : []),
  ];
  return `Answered by ${other} in place of ${own}, which made the features; compared once: ${found.join(', ')}.`;
}

const standIn = (agreement: EngineAgreement | undefined): string =>
  agreement === undefined ? '' : `${agreementText(agreement)}\n`;

const indexLine = ({ split, ef, k, recall, queries, heldOut, threads, built }: IndexResult): string =>
  `HNSW graph of ${split} (${built ? 'built now and kept in the store' : 'from the store'}): recall@${k} ${recall.toFixed(4)} against exact search, measured on ${plural(queries, 'image')} ${heldOut ? 'that the graph does not hold' : 'of the graph, each without itself'}, ef ${ef}, searched by ${plural(threads, 'thread')}\n`;

export function neighborsText(result: NeighborsResult): string {
  const { queries, metric, pooling, index, indexChosen, agreement, failed } = result;
  const indices = index === 'exact' ? [] : index.map(indexLine);
  if (indexChosen !== undefined) {
    indices.push(`Chosen: ${index === 'exact' ? 'exact search' : 'HNSW graphs'}. ${printable(indexChosen)}\n`);
  }
  const blocks = queries.map(
    ({ path, neighbors }) =>
      `${printable(path)} (${metric} distance on ${pooling} features)\n${neighborLines(neighbors)}`,
  );
  return blocks.join('') + indices.join('') + standIn(agreement) + failuresText(failed);
}

/** A set's poolings and widths, with rows where they differ: an extraction that adds one may be under way. */
function poolingsText({ poolings, widths, rows }: InspectResult['sets'][number]): string {
  const parts = POOLINGS.flatMap((pooling) => {
    const held = poolings[pooling];
    return held === undefined
      ? []
      : [`${pooling} ${widthOf(widths, pooling)}${held === rows ? '' : ` (${plural(held, 'row')})`}`];
  });
  return parts.join(', ') || 'no';
}

export function inspectText(result: InspectResult): string {
  const splits = [...new Set(result.classes.flatMap((c) => Object.keys(c.splits)))] as ('train' | 'val' | 'test')[];
  const classes = textTable(
    [...left('class'), ...right(...splits)],
    result.classes.map(({ label, splits: n }) => [label, ...splits.map((split) => String(n[split] ?? 0))]),
  );
  const several = result.sets.filter(({ current }) => current).length > 1;
  const sets = result.sets.map((set) =>
    textFields([
      [
        set.current ? 'current set' : 'other set',
        set.primary && several ? `${set.fingerprint}, the primary one` : set.fingerprint,
      ],
      [
        '  backbone',
        set.network === undefined
          ? `${set.backbone}, weights ${set.weights}`
          : `${set.network.name}, digest ${set.weights}, last at ${set.network.file}`,
      ],
      [
        '  cut',
        `${set.cut}: ${poolingsText(set)} numbers an image${'flatten' in set.poolings ? `; maps in ${set.dtype}` : ''}`,
      ],
      ['  contract', `${set.contractId} ${JSON.stringify(set.contract)}`],
      ['  engine', `${set.engine.name} ${set.engine.version}, ${set.engine.device}, ${set.engine.precision}`],
      ...(set.tuned === null
        ? []
        : [
            [
              '  tuned',
              `from ${set.tuned.from} on, of the weights ${set.tuned.base}; --backbone-file ${set.fingerprint} names it`,
            ] as const,
          ]),
      ...(set.cosineToFp32 === null ? [] : [['  int8', cosineText(set.cosineToFp32)] as const]),
      ['  content', `${plural(set.rows, 'row')} in ${plural(set.shards, 'shard')}, ${bytes(set.bytes)}`],
    ]),
  );
  const head = textFields([
    ['store', `${result.store} (version ${result.version}, ${bytes(result.bytes)})`],
    [
      'data set',
      result.dataset === ''
        ? 'none: no extraction was completed'
        : `${result.dataset}: ${plural(result.images, 'image')}, ${plural(result.classes.length, 'class', 'classes')}`,
    ],
  ]);
  const parts = [head, ...(result.classes.length > 0 ? [classes] : []), ...sets];
  return parts.join('\n') + failuresText(result.failed);
}

export function doctorText(result: DoctorResult): string {
  const { cpu, engine, engines, weights } = result;
  const variants = textTable(
    [...left('engine', 'device', 'precision'), ...right('expected speed'), ...left('state')],
    engines.map(({ engine: name, device, precision, version, chosen, speed, agreement, problem }) => [
      name,
      device,
      precision,
      `${speed.toFixed(1)} x`,
      problem === null
        ? `${chosen ? 'chosen by auto' : 'usable'} (${version}${agreement === null ? '' : `; cosine to onnxruntime ${agreement.cosine.toFixed(6)}, checked`})`
        : 'not usable, see below',
    ]),
  );
  const packages = textTable(
    left('package', 'version', 'works', 'needed for'),
    result.packages.map(({ name, version, works, needed }) => [name, version ?? '-', works ? 'yes' : 'NO', needed]),
  );
  const problems = new Set(
    [...engines.map((e) => ({ ...e, name: e.engine })), ...result.packages]
      .filter(({ problem }) => problem !== null)
      .map(({ name, problem }) => `${name}: ${printable(problem!)}\n`),
  );
  return (
    textFields([
      ['permafrost', result.permafrost],
      ['node', `${result.node} on ${result.platform}`],
      [
        'processor',
        `${cpu.model}, ${plural(cpu.cores, 'core')}, ${cpu.memoryGiB.toFixed(1)} GiB memory, ${cpu.bf16 ?? 'no units for bf16'}`,
      ],
      [
        'weights',
        weights.ok ? `${weights.backbone}, verified, digest ${weights.digest}` : `NOT USABLE: ${weights.problem}`,
      ],
      [
        'engine',
        engine === null
          ? 'NONE'
          : `${engine.name} ${engine.version} on ${engine.device}, ${engine.precision}: ${engine.why}`,
      ],
      ...(engine?.faster ?? []).map((way): [string, string] => ['faster', way]),
      ...(result.fasterBackbone === undefined ? [] : [['backbone', result.fasterBackbone] as const]),
    ]) +
    `\n${variants}\n${packages}` +
    (problems.size > 0 ? `\n${[...problems].join('')}` : '')
  );
}
