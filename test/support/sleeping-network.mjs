// @ts-check
/*
 * What queues are tested with in place of a network: the process of serve-units with a worker of units that sleeps.
 * The plan is a folder with sleeping.json; a unit is published there by a rename, as real ones are, and what happens
 * stands in log.jsonl.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveUnits } from '../../dist/workflows/machines/queue/network/serve-units.js';

/**
 * @typedef {object} SleepingPlan
 * @property {string} run 16 hex digits
 * @property {number} units
 * @property {number} images of each unit
 * @property {number} imageMs how long an image takes
 * @property {number} [blockMs] how long each unit holds the event loop
 * @property {[unit: number, image: number][]} [deadly] images that end the process
 * @property {number[]} [failing] units that throw
 */

/** @type {Parameters<typeof serveUnits>[0]} */
const open = (plan) => {
  /** @type {SleepingPlan} */
  const {
    run,
    units,
    images,
    imageMs,
    blockMs = 0,
    deadly = [],
    failing = [],
  } = JSON.parse(readFileSync(join(plan, 'sleeping.json'), 'utf8'));
  /** @param {string} what @param {number} unit @param {object} [more] */
  const log = (what, unit, more) =>
    appendFileSync(
      join(plan, 'log.jsonl'),
      `${JSON.stringify({ at: Date.now(), pid: process.pid, parent: process.ppid, what, unit, ...more })}\n`,
    );
  /** @param {number} unit */
  const folder = (unit) => join(plan, `u-${String(unit).padStart(5, '0')}`);
  return Promise.resolve({
    // Of the plan the process reads these alone.
    plan: /** @type {any} */ ({ run, units: { size: images, count: units } }),
    missing: () =>
      Promise.resolve(Array.from({ length: units }, (_, unit) => unit).filter((unit) => !existsSync(folder(unit)))),
    imagesOf: () => images,
    async extract(unit, { signal, onImages, only, crashed = [] } = {}) {
      const started = performance.now();
      /** @param {'made' | 'there' | 'lost-race' | 'tried'} outcome */
      const end = (outcome) => {
        log(outcome, unit, crashed.length > 0 ? { crashed } : {});
        return {
          unit,
          outcome,
          images,
          failures: crashed.length,
          known: 0,
          seconds: (performance.now() - started) / 1000,
        };
      };
      if (existsSync(folder(unit))) return end('there');
      log(only === undefined ? 'start' : 'try', unit, only === undefined ? {} : { only });
      if (failing.includes(unit)) throw new Error(`unit ${unit} fails, as it was told`);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
      const [from, to] = only ?? [0, images];
      for (let image = from; image < to; image++) {
        if (crashed.includes(image)) continue;
        if (deadly.some(([u, i]) => u === unit && i === image)) process.kill(process.pid, 'SIGKILL');
        await sleep(imageMs, undefined, { signal });
        onImages?.(image + 1, images);
      }
      if (only !== undefined) return end('tried');
      const temporary = join(plan, `.u-${unit}.${process.pid}.${started}`);
      mkdirSync(temporary);
      writeFileSync(join(temporary, 'unit.json'), JSON.stringify({ unit, crashed }));
      try {
        renameSync(temporary, folder(unit));
      } catch (error) {
        if (!['ENOTEMPTY', 'EEXIST'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error;
        rmSync(temporary, { recursive: true });
        return end('lost-race');
      }
      return end('made');
    },
    close: () => Promise.resolve(),
  });
};

serveUnits(open);
