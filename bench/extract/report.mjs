// @ts-check
import { median } from '../median.mjs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/report/text-table.ts')} */
const { textTable } = await import(dist('report/text-table.js'));

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./variants.mjs').Measured} Measured
 * @typedef {import('./variants.mjs').Alone} Alone
 * @typedef {import('./quality.mjs').Quality} Quality
 * @typedef {{ runs: Measured[], alone: Alone[] }} Rounds
 */

/** @param {{ images: number, seconds: number }} run */
const rate = ({ images, seconds }) => images / seconds;

/**
 * Medians over the rounds and every round, variant by variant.
 * @param {ReadonlyMap<Variant, Rounds>} measured
 * @param {ReadonlyMap<Variant, Quality>} quality absent where the contract is not that of Keras
 */
export function summarise(measured, quality) {
  return [...measured].map(([variant, { runs, alone }]) => {
    const imagesPerSecond = median(runs.map(rate));
    const aloneImagesPerSecond = alone.length > 0 ? median(alone.map(rate)) : null;
    return {
      variant: variant.name,
      side: variant.side,
      precision: variant.precision,
      imagesPerSecond,
      aloneImagesPerSecond,
      // Of the rounds, not of the medians: what disturbs a round disturbs both of its figures.
      endToEndPart:
        alone.length > 0 ? median(runs.map((run, i) => rate(run) / rate(/** @type {Alone} */ (alone[i])))) : null,
      wallSeconds: median(runs.map(({ wallSeconds }) => wallSeconds)),
      cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
      aloneCpuMsPerImage:
        alone.length > 0 ? median(alone.map(({ cpuSeconds, images }) => (1000 * cpuSeconds) / images)) : null,
      peakRssMiB: Math.max(...runs.map(({ peakRssMiB }) => peakRssMiB)),
      quality: quality.get(variant) ?? null,
      facts: runs[0]?.facts,
      rounds: runs.map((run, i) => ({ ...run, facts: undefined, alone: alone[i] ?? null })),
    };
  });
}

/** @typedef {ReturnType<typeof summarise>} Summary */

/**
 * The table. `times Keras` is to the fastest Keras; `of Python`: inference alone against OpenVINO's own from Python in
 * the same precision.
 * @param {Summary} summary
 */
export function summaryText(summary) {
  const keras = summary.filter(({ side }) => side === 'keras');
  const fastest = Math.max(...keras.map(({ imagesPerSecond }) => imagesPerSecond));
  /** @param {Summary[number]} one */
  const ofPython = ({ variant, side, precision, aloneImagesPerSecond }) => {
    const peer = summary.find((other) => other.side === 'openvino from Python' && other.precision === precision);
    if (side !== 'permafrost' || !variant.includes('openvino') || !peer?.aloneImagesPerSecond) return '';
    return aloneImagesPerSecond === null ? '' : (aloneImagesPerSecond / peer.aloneImagesPerSecond).toFixed(2);
  };
  /** @type {(title: string) => { title: string, align: 'right' }} */
  const right = (title) => ({ title, align: 'right' });
  return textTable(
    [
      { title: 'variant' },
      ...['images/s', 'times Keras', 'alone images/s', 'end to end / alone', 'of Python'].map(right),
      ...['CPU s', 'CPU ms/image alone', 'process s', 'peak MiB'].map(right),
      ...['least cosine', 'mean cosine', 'validated right'].map(right),
    ],
    summary.map((one) => [
      one.variant,
      one.imagesPerSecond.toFixed(1),
      (one.imagesPerSecond / fastest).toFixed(2),
      one.aloneImagesPerSecond?.toFixed(1) ?? '',
      one.endToEndPart?.toFixed(2) ?? '',
      ofPython(one),
      one.cpuSeconds.toFixed(0),
      one.aloneCpuMsPerImage?.toFixed(0) ?? '',
      one.wallSeconds.toFixed(1),
      one.peakRssMiB.toFixed(0),
      one.quality?.minCosine.toFixed(6) ?? '',
      one.quality?.meanCosine.toFixed(6) ?? '',
      one.quality === null ? '' : `${one.quality.hits}/${one.quality.validated}`,
    ]),
  );
}
