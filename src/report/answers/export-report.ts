import type { ExportAgreement, ExportBounds, ExportOnnxResult, ExportWebResult } from '../../results/export-result.ts';
import type { TableExportResult } from '../../results/export-table-result.ts';
import { failuresText } from '../extract-report.ts';
import { bytes, plural } from '../format.ts';
import { printable } from '../printable.ts';

function agreementLine({ runtime, images, sameClass, largestDifference, differingUnknown }: ExportAgreement): string {
  const unknown =
    differingUnknown === null || differingUnknown === 0
      ? ''
      : `; ${plural(differingUnknown, 'image')} unknown to one and not to the other`;
  return `  ${runtime}: ${sameClass} of ${plural(images, 'image')} get the same class, largest difference of a probability ${largestDifference.toExponential(1)}${unknown}\n`;
}

const allowedText = ({ maxDifference, minAgreement }: ExportBounds): string =>
  `allowed: a probability ${maxDifference} off, ${minAgreement === 1 ? 'the same class for all' : `another class for ${Number((100 * (1 - minAgreement)).toFixed(6))} %`}`;

/** An exported file for a terminal: what it is, and how it was checked. */
export function exportOnnxText(result: ExportOnnxResult): string {
  const { file, head, precision, opset, domains, check, outputs } = result;
  const checked =
    check === null
      ? 'Not checked, as was asked for; the file says so.\n'
      : `Checked against permafrost's own answers on ${check.split === null ? '' : `the ${check.split} images of `}${printable(check.on)} (${allowedText(check)}):\n${check.runtimes.map(agreementLine).join('')}`;
  return (
    `${printable(file)}: ${printable(head.name)} of ${head.classes.length} classes, ${bytes(result.bytes)}, ${precision}, opset ${opset}${domains.length > 0 ? ` and ${domains.join(', ')}` : ''}\n` +
    `  input ${result.input}: uint8 RGB of any size, upright (batch, height, width, 3); outputs ${outputs.join(', ')}\n` +
    checked +
    result.notes.map((note) => `${printable(note)}\n`).join('') +
    failuresText(check?.failed ?? [])
  );
}

/** An exported page for a terminal: what it is, how large, how to open it, and how its model was checked. */
export function exportWebText({ folder, title, bytes: all, runtimeBytes, model }: ExportWebResult): string {
  return (
    `${printable(folder)}: a page for ${printable(title)}, ${bytes(all)} to load (the model ${bytes(model.bytes)}, ONNX Runtime ${bytes(runtimeBytes)})\n` +
    `  Any web server serves it. On this machine: npx serve ${printable(folder)}, or python3 -m http.server -d ${printable(folder)}\n` +
    exportOnnxText(model)
  );
}

/** A store that was written as a table: what is in it, and where. */
export function exportTableText({ images, features, width, relabelled, answers, files }: TableExportResult): string {
  const labels = relabelled === undefined ? '' : `, ${plural(relabelled, 'image')} under the labels of the list`;
  return (
    `${plural(images, 'image')}${labels}: path, label, split, ${answers === null ? '' : 'answers, '}${width} numbers of ${printable(features)}\n` +
    files.map(({ path, bytes: size }) => `  ${printable(path)}  ${bytes(size)}\n`).join('')
  );
}
