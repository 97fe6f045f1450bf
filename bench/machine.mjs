// @ts-check
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** What a measurement ran on, and how busy it was with other things at the end. */
export const machineFacts = () => ({
  cpu: cpus()[0]?.model.trim(),
  cores: availableParallelism(),
  memoryGiB: totalmem() / 2 ** 30,
  system: `${process.platform} ${process.arch} ${release()}`,
  loadAverageAtEnd: loadavg(),
});

/** permafrost's version in package.json. */
export const permafrostVersion = () =>
  /** @type {{ version: string }} */ (JSON.parse(readFileSync(root('package.json'), 'utf8'))).version;

/**
 * Writes bench/results/NAME-<time>.json with the date, the machine and `report`.
 * @param {string} name
 * @param {object} report
 * @returns {string} the file
 */
export function writeReport(name, report) {
  const date = new Date().toISOString();
  mkdirSync(root('bench/results'), { recursive: true });
  const file = root(`bench/results/${name}-${date.replaceAll(/[:.]/g, '-')}.json`);
  const versions = { permafrost: permafrostVersion(), node: process.version };
  writeFileSync(file, `${JSON.stringify({ date, machine: machineFacts(), versions, ...report }, null, 2)}\n`);
  return file;
}
