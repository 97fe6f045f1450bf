// @ts-check
import { median } from '../median.mjs';

/**
 * @typedef {import('./variants.mjs').Variant} Variant
 * @typedef {import('./variants.mjs').Measured} Measured
 * @typedef {import('./equality.mjs').Equality} Equality
 */

/**
 * Medians over the rounds and every round, variant by variant.
 * @param {ReadonlyMap<Variant, Measured[]>} measured
 * @param {Readonly<Record<string, Equality>>} quality by variant name; absent where the contract is not that of Keras
 */
export function summarise(measured, quality) {
  return [...measured].map(([variant, runs]) => ({
    variant: variant.name,
    isPeer: variant.isPeer,
    imagesPerSecond: median(runs.map(({ images, seconds }) => images / seconds)),
    wallSeconds: median(runs.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
    peakRssMiB: median(runs.map(({ peakRssMiB }) => peakRssMiB)),
    quality: quality[variant.name] ?? null,
    facts: runs[0]?.facts,
    rounds: runs.map((run) => ({ ...run, facts: undefined })),
  }));
}

/**
 * The summary as text. Ratios are to the best of the peers in that figure: the fastest, the leanest.
 * @param {ReturnType<typeof summarise>} summary
 */
export function summaryText(summary) {
  const peers = summary.filter(({ isPeer }) => isPeer);
  const fastest = Math.max(...peers.map((peer) => peer.imagesPerSecond));
  const shortest = Math.min(...peers.map((peer) => peer.wallSeconds));
  const leanest = Math.min(...peers.map((peer) => peer.peakRssMiB));
  const ratio = (/** @type {number} */ value, /** @type {number} */ best) => `${(value / best).toFixed(2)} x`;
  return summary
    .map(({ variant, imagesPerSecond, wallSeconds, cpuSeconds, peakRssMiB, quality }) =>
      [
        variant,
        `  ${imagesPerSecond.toFixed(1)} images/s (${ratio(imagesPerSecond, fastest)})`,
        `  whole process ${wallSeconds.toFixed(1)} s (${ratio(wallSeconds, shortest)}), CPU ${cpuSeconds.toFixed(0)} s`,
        `  peak memory ${peakRssMiB.toFixed(0)} MiB (${ratio(peakRssMiB, leanest)})`,
        ...(quality === null
          ? []
          : [`  cosine to Keras min ${quality.minCosine.toFixed(6)}, mean ${quality.meanCosine.toFixed(6)}`]),
      ].join('\n'),
    )
    .join('\n');
}
