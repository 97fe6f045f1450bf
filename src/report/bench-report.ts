import type { BenchResult } from '../results/engine-results.ts';
import { failuresText } from './extract-report.ts';
import { plural } from './format.ts';
import { left, right, textTable } from './text-table.ts';

/** The engines measured, for a terminal: fastest first. */
export function benchText(result: BenchResult): string {
  const { images, source, backbone, contract, cut, machine, rounds, reference, variants, failed } = result;
  const rows = variants
    .flatMap((variant) => (variant.measured === null ? [] : [{ ...variant, measured: variant.measured }]))
    .sort((a, b) => b.measured.imagesPerSecond - a.measured.imagesPerSecond)
    .map(({ engine, device, precision, measured }) => [
      `${engine} ${measured.version}`,
      device,
      precision,
      measured.imagesPerSecond.toFixed(1),
      measured.cpuMsPerImage.toFixed(0),
      `${measured.peakMiB.toFixed(0)} MiB`,
      measured.cosineLeast.toFixed(6),
      measured.cosineMean.toFixed(6),
    ]);
  const table = textTable(
    [
      ...left('engine', 'device', 'precision'),
      ...right('images/s', 'CPU ms/image', 'peak memory', 'least cosine', 'mean cosine'),
    ],
    rows,
  );
  const missing = variants
    .filter(({ measured }) => measured === null)
    .map(({ engine, device, precision, problem }) => `not measured: ${engine}/${device}/${precision}: ${problem}\n`);
  return (
    `${plural(images.length, 'image')} of ${source}, ${backbone === undefined ? '' : `${backbone}, `}contract ${contract}, ${cut}; inference alone, median of ${plural(rounds, 'process', 'processes')} each\n` +
    `${machine.model}, ${plural(machine.cores, 'core')}; cosines to ${reference}\n\n` +
    table +
    (missing.length > 0 ? `\n${missing.join('')}` : '') +
    failuresText(failed)
  );
}
