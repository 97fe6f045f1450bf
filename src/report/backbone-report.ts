import type { Contract } from '../core/contract.ts';
import type {
  BackboneResult,
  CheckedContract,
  ContractCheck,
  NetworkCut,
  NetworkValue,
} from '../results/backbone-results.ts';
import { left, right, textFields, textTable } from './text-table.ts';

const numbers = (values: readonly number[]): string => values.map((x) => Number(x.toPrecision(6))).join(', ');

/** All that a contract does to a picture, a clause each. */
export function contractInWords(contract: Contract): string {
  const { size, geometry, resize = size, kernel, antialias, orientation, alpha, channelOrder, mean, scale } = contract;
  const smooth = `${kernel}${antialias === false ? ' without antialiasing' : ''}`;
  const laid = {
    'cover-crop': `shorter side to ${resize} (${smooth}), the middle ${size} x ${size} cut out`,
    squash: `squashed to ${resize} x ${resize} (${smooth})${resize === size ? '' : `, the middle ${size} x ${size} cut out`}`,
    'contain-pad': `longer side to ${resize} (${smooth}), on ${contract.pad ? `RGB ${contract.pad.join(', ')}` : 'black'} to ${size} x ${size}`,
  }[geometry];
  const scales = typeof scale === 'number' ? [scale] : scale;
  const plain = mean.every((m) => m === 0) && scales.every((s) => s === 1);
  const arithmetic = plain ? 'pixels 0 to 255 as they are' : `(pixel - (${numbers(mean)})) * (${numbers(scales)})`;
  const seen = [
    orientation === 'exif' ? 'turned as EXIF says' : 'not turned',
    alpha === 'white' ? 'transparent parts on white' : 'colours under transparency kept',
  ];
  return [...seen, laid, channelOrder, arithmetic].join('; ');
}

const shapeOf = ({ dtype, shape }: NetworkValue): string => `${dtype} (${shape.map((size) => size || '?').join(', ')})`;

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
    poolings.map((one) => `${one.pooling}${one.byDefault ? '*' : ''} ${one.width}`).join(', '),
    marks.filter(Boolean).join(', '),
  ];
}

function checkRow({ what, accuracy, interval: [low, high], logLoss, told, pValues }: CheckedContract): string[] {
  return [
    what,
    accuracy.toFixed(3),
    `${low.toFixed(2)} .. ${high.toFixed(2)}`,
    logLoss.toFixed(3),
    pValues === null ? '' : Math.min(pValues.accuracy, pValues.logLoss).toFixed(3),
    told ?? '',
  ];
}

/** What a data set says of a contract. */
export function contractCheckText(check: ContractCheck): string {
  const { images, classes, dataset, part, stated, others, sentence, notTried } = check;
  const table = textTable(
    [...left('contract'), ...right('5-NN', '95 %', 'log loss', 'p'), ...left('told')],
    [stated, ...others].map(checkRow),
  );
  const tried = notTried.map((what) => `Not tried: ${what}\n`).join('');
  return `\n${images} images of ${classes} classes of ${dataset}, ${part.cut}:${part.pooling}, each told by the others:\n${table}${tried}\n${sentence}\n`;
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
