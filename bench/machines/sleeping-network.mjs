// @ts-check
// The process of a network that sleeps, for queue.mjs: a unit takes as long as the plan says, and is published by a
// rename as a real one is. The plan is a folder with plan.json.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dist } from '../store/dist.mjs';

/** @type {typeof import('../../src/workflows/machines/queue/network/serve-units.ts')} */
const { serveUnits } = await dist('workflows/machines/queue/network/serve-units.js');

serveUnits((plan) => {
  const { run, units, unitMs } = JSON.parse(readFileSync(join(plan, 'plan.json'), 'utf8'));
  const folder = (/** @type {number} */ unit) => join(plan, `u-${unit}`);
  writeFileSync(join(plan, `ready-${process.pid}`), '');
  return Promise.resolve({
    // Of the plan the process reads these alone.
    plan: /** @type {any} */ ({ run, units: { size: 1, count: units } }),
    missing: () =>
      Promise.resolve(Array.from({ length: units }, (_, unit) => unit).filter((unit) => !existsSync(folder(unit)))),
    imagesOf: () => 1,
    async extract(unit, { signal } = {}) {
      await sleep(unitMs, undefined, { signal });
      const temporary = join(plan, `.u-${unit}.${process.pid}`);
      mkdirSync(temporary);
      // A second one would find the name taken, and the bench ends with its error.
      if (existsSync(folder(unit))) throw new Error(`unit ${unit} was made twice`);
      renameSync(temporary, folder(unit));
      return { unit, outcome: 'made', images: 1, failures: 0, known: 0, seconds: unitMs / 1000 };
    },
    close: () => Promise.resolve(),
  });
});
