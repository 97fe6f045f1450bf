import type { ExportAgreement, ExportOnnxResult } from '../results/export-result.ts';
import { failuresText } from './extract-report.ts';
import { bytes, plural } from './format.ts';
import { printable } from './printable.ts';

function agreementLine({ runtime, images, sameClass, largestDifference, differingUnknown }: ExportAgreement): string {
  const unknown =
    differingUnknown === null || differingUnknown === 0
      ? ''
      : `; ${plural(differingUnknown, 'image')} unknown to one and not to the other`;
  return `  ${runtime}: ${sameClass} of ${plural(images, 'image')} get the same class, largest difference of a probability ${largestDifference.toExponential(1)}${unknown}\n`;
}

/** An exported file for a terminal: what it is, and how it was checked. */
export function exportOnnxText(result: ExportOnnxResult): string {
  const { file, head, precision, opset, domains, check, outputs } = result;
  const checked =
    check === null
      ? 'Not checked, as was asked for; the file says so.\n'
      : `Checked against permafrost's own answers on ${check.split === null ? '' : `the ${check.split} images of `}${printable(check.on)}:\n${check.runtimes.map(agreementLine).join('')}`;
  return (
    `${printable(file)}: ${printable(head.name)} of ${head.classes.length} classes, ${bytes(result.bytes)}, ${precision}, opset ${opset}${domains.length > 0 ? ` and ${domains.join(', ')}` : ''}\n` +
    `  input ${result.input}: uint8 RGB of any size, upright (batch, height, width, 3); outputs ${outputs.join(', ')}\n` +
    checked +
    failuresText(check?.failed ?? [])
  );
}
