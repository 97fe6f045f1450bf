// @ts-check
import { median } from '../median.mjs';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/report/text-table.ts')} */
const { textTable } = await import(dist('report/text-table.js'));

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./variants.mjs').Measured} Measured
 */

/**
 * @typedef {object} Quality
 * @property {{ least: number, mean: number } | null} cosine to the peer's features of the same network
 * @property {number} hits validation images that a logistic head classes rightly
 * @property {number} validated
 */

/** @param {Measured} run */
const rate = ({ images, seconds }) => images / seconds;

/**
 * Medians over the rounds and every round, variant by variant.
 * @param {ReadonlyMap<Variant, Measured[]>} measured
 * @param {ReadonlyMap<Variant, Quality>} quality absent for random weights
 */
export function summarise(measured, quality) {
  const keras = [...measured].find(([{ side, hasWeights }]) => side === 'keras' && hasWeights)?.[1] ?? [];
  return [...measured].map(([variant, runs]) => ({
    variant: variant.name,
    side: variant.side,
    backbone: variant.backbone,
    hasWeights: variant.hasWeights,
    precision: variant.precision,
    imagesPerSecond: median(runs.map(rate)),
    // Of the rounds, not of the medians: what disturbs a round disturbs both of its figures.
    timesKeras:
      keras.length > 0 ? median(runs.map((run, i) => rate(run) / rate(/** @type {Measured} */ (keras[i])))) : null,
    cpuMsPerImage: median(runs.map(({ cpuSeconds, images }) => (1000 * cpuSeconds) / images)),
    wallSeconds: median(runs.map(({ wallSeconds }) => wallSeconds)),
    peakRssMiB: Math.max(...runs.map(({ peakRssMiB }) => peakRssMiB)),
    quality: quality.get(variant) ?? null,
    facts: runs[0]?.facts,
    rounds: runs.map((run) => ({ ...run, facts: undefined })),
  }));
}

/** @typedef {ReturnType<typeof summarise>} Summary */

/** @param {Summary} summary */
export function summaryText(summary) {
  /** @type {(title: string) => { title: string, align: 'right' }} */
  const right = (title) => ({ title, align: 'right' });
  return textTable(
    [
      { title: 'variant' },
      ...['images/s', "times Keras' VGG16", 'CPU ms an image', 'process s', 'peak MiB'].map(right),
      ...['least cosine', 'mean cosine', 'validated right'].map(right),
    ],
    summary.map((one) => [
      one.variant,
      one.imagesPerSecond.toFixed(1),
      one.timesKeras?.toFixed(1) ?? '',
      one.cpuMsPerImage.toFixed(1),
      one.wallSeconds.toFixed(1),
      one.peakRssMiB.toFixed(0),
      one.quality?.cosine?.least.toFixed(6) ?? '',
      one.quality?.cosine?.mean.toFixed(6) ?? '',
      one.quality === null ? '' : `${one.quality.hits}/${one.quality.validated}`,
    ]),
  );
}

/** What the table in docs/benchmarks.md stands between. */
const BEGIN = '<!-- backbones: what "run.mjs --docs" wrote -->';
const END = '<!-- backbones: end -->';

/**
 * The same as a table of Markdown. Of random weights the speed alone counts, and is marked so.
 * @param {Summary} summary
 */
function summaryMarkdown(summary) {
  const head = ['what', 'images/s', "times Keras' VGG16", 'processor ms an image, whole process', 'peak MiB'];
  const titles = [...head, "least cosine to the peer's", 'head right on'];
  const rows = summary.map((one) => [
    one.variant,
    one.imagesPerSecond.toFixed(1),
    one.timesKeras?.toFixed(1) ?? '',
    one.cpuMsPerImage.toFixed(1),
    one.peakRssMiB.toFixed(0),
    one.quality?.cosine?.least.toFixed(6) ?? '',
    one.quality === null ? (one.hasWeights ? '' : 'speed only') : `${one.quality.hits} of ${one.quality.validated}`,
  ]);
  return [titles, titles.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/**
 * docs/benchmarks.md with this table, and the machine and command above it, in place of the one before.
 * @param {string} page
 * @param {{ summary: Summary, machine: string, command: string }} measured
 */
export function withTable(page, { summary, machine, command }) {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end < begin) throw new Error(`docs/benchmarks.md has no "${BEGIN}" before "${END}".`);
  const text = `${BEGIN}\n\n${machine}: \`${command}\`.\n\n${summaryMarkdown(summary)}\n\n`;
  return page.slice(0, begin) + text + page.slice(end);
}
