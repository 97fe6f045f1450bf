import type {
  BackboneResult,
  CheckedContract,
  ContractCheck,
  NetworkCut,
  NetworkValue,
} from '../../results/backbone-results.ts';
import { contractInWords } from './contract-in-words.ts';
import { pText } from '../told-apart.ts';
import { left, right, textFields, textTable } from '../text-table.ts';

const shapeOf = ({ dtype, shape }: NetworkValue): string => `${dtype} (${shape.map((size) => size || '?').join(', ')})`;

/** Poolings of one width together: `192: avg*, max, gem; 9408: flatten`. */
function poolingsText(poolings: NetworkCut['poolings']): string {
  const widths = [...new Set(poolings.map(({ width }) => width))].sort((a, b) => a - b);
  const named = (of: number): string[] =>
    poolings.filter(({ width }) => width === of).map(({ pooling, byDefault }) => pooling + (byDefault ? '*' : ''));
  return widths.map((width) => `${width}: ${named(width).join(', ')}`).join('; ');
}

function cutRow({ name, alias, axes, height, width, channels, prefix, poolings }: NetworkCut, own: string): string[] {
  const shape = {
    NCHW: `${channels} x ${height} x ${width}`,
    NHWC: `${height} x ${width} x ${channels}`,
    tokens: `${width} x ${channels}`,
    vector: String(channels),
  }[axes];
  const marks = [alias === null ? '' : `also ${alias}`, name === own || alias === own ? 'default' : ''];
  return [
    name,
    axes,
    shape,
    prefix === null ? '' : String(prefix),
    poolingsText(poolings),
    marks.filter(Boolean).join(', '),
  ];
}

const FIGURES = { accuracy: '5-NN', alignment: 'alignment', ownClasses: 'own classes' } as const;

function checkRow({ what, interval: [low, high], figures, told, decidedBy, pValues }: CheckedContract): string[] {
  const [by] = decidedBy;
  return [
    what,
    figures.accuracy.toFixed(3),
    `${low.toFixed(2)} .. ${high.toFixed(2)}`,
    figures.alignment.toFixed(3),
    figures.ownClasses === null ? '-' : figures.ownClasses.toFixed(2),
    by === undefined ? (told ?? '') : `${told} by ${FIGURES[by]} (p ${pText(pValues![by]!)})`,
  ];
}

/** What a data set says of a contract. */
export function contractCheckText(check: ContractCheck): string {
  const { images, classes, dataset, part, stated, others, sentence, notTried } = check;
  const table = textTable(
    [
      ...left('contract'),
      ...right(FIGURES.accuracy, '95 %', FIGURES.alignment, FIGURES.ownClasses),
      ...left('than the stated one'),
    ],
    [stated, ...others].map(checkRow),
  );
  const tried = notTried.map((what) => `${what}\n`).join('');
  return `\n${images} images of ${classes} classes of ${dataset}, features ${part.cut}:${part.pooling}, each image judged by the others:\n${table}${tried}\n${sentence}\n`;
}

/** What a network is, for a terminal. */
export function backboneText(result: BackboneResult): string {
  const { name, kind, file, digest, opsets, licence, source, input, outputs, cuts, defaultCut } = result;
  const layout = `${input.name} ${shapeOf(input)}, ${input.layout}, ${input.batch === null ? 'any number of images at a time' : `${input.batch} image at a time`}`;
  const fields: [string, string][] = [
    ['name', name],
    ['file', file],
    ['SHA-256', digest],
    ...(opsets === null
      ? []
      : [
          [
            'operators',
            Object.entries(opsets)
              .map(([domain, version]) => `${domain} ${version}`)
              .join(', '),
          ] as [string, string],
        ]),
    ['licence', licence ?? (kind === 'layers' ? '-' : 'not stated')],
    ...(source === null ? [] : [['source', source] as [string, string]]),
    ['input', layout],
    ...outputs.map((output): [string, string] => ['output', `${output.name} ${shapeOf(output)}`]),
    ['default cut', defaultCut],
    ['contract', result.contract === null ? 'none' : contractInWords(result.contract)],
    ['from', result.contractFrom ?? 'nothing says it'],
  ];
  const own = defaultCut.replace(/:[a-z]+$/, '');
  const table = textTable(
    [...left('cut', 'axes', 'shape'), ...right('prefix'), ...left('poolings (*: kept by default)', '')],
    cuts.map((cut) => cutRow(cut, own)),
  );
  const written =
    result.written === null
      ? ''
      : `\n${result.written.path} ${result.written.changed ? 'is written' : 'says this already'}.\n`;
  return [
    textFields(fields),
    `\n${table}`,
    result.notes.length > 0 ? `\n${result.notes.map((note) => `${note}\n`).join('')}` : '',
    result.check === null ? '' : contractCheckText(result.check),
    result.contractMissing === null ? '' : `\n${result.contractMissing}\n`,
    written,
  ].join('');
}
