// @ts-check
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../store/dist.mjs';

/**
 * A way to read a store. What it gives depends on the list that is current, and on nothing else: not on where rows lie,
 * nor on times or paths.
 * @typedef {object} Reading
 * @property {string} name
 * @property {number} weight how often it is done beside the others
 * @property {(from: Origin) => Promise<unknown>} read
 */

/**
 * @typedef {object} Origin
 * @property {string} store
 * @property {string} scratch a folder of this reader alone
 * @property {string} image a picture of both lists
 * @property {string} head a head file outside of the store
 * @property {() => Promise<void>} pause what a reader waits between two steps of a long reading
 */

/** @param {unknown} content */
const digest = (content) => createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);

/** @param {Float32Array} values */
const numbers = (values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

/** The readings of the library and of every command that reads. @returns {Promise<readonly Reading[]>} */
export async function readings() {
  const { openStore } = await dist('store/open.js');
  const { openRows } = await dist('store/read/access.js');
  const { inspect } = await dist('workflows/care/inspect.js');
  const { verify } = await dist('workflows/care/verify.js');
  const { train } = await dist('workflows/train/train.js');
  const { sweep } = await dist('workflows/sweep/sweep.js');
  const { check } = await dist('workflows/check/check.js');
  const { neighbors } = await dist('workflows/search/neighbors.js');
  const { predict } = await dist('workflows/predict/predict.js');
  const { exportTable } = await dist('workflows/export/table/export-table.js');
  const { writeReport } = await dist('write-report.js');
  return [
    {
      name: 'samples',
      weight: 20,
      async read({ store, pause }) {
        const opened = await openStore(store);
        await pause();
        const samples = [...(await opened.samples())];
        await pause();
        return [digest(samples), await opened.counts()];
      },
    },
    {
      name: 'matrix',
      weight: 20,
      async read({ store, pause }) {
        const opened = await openStore(store);
        await pause();
        const rows = await opened.rows({ parts: 'avg+max', memory: 'matrix' });
        return digest([numbers(rows.matrix.data), rows.labels]);
      },
    },
    {
      name: 'blocks, read twice with pauses',
      weight: 20,
      async read({ store, pause }) {
        const opened = await openStore(store);
        await pause();
        const rows = await opened.rows({ parts: 'avg', memory: 'blocks' });
        const passes = [];
        for (let pass = 0; pass < 2; pass++) {
          /** @type {[number, string][]} */
          const found = [];
          for (let block = 0; block + 1 < rows.starts.length; block++) {
            await pause();
            const { data, cols, rows: count } = await rows.read(block);
            for (let i = 0; i < count; i++) {
              const row = rows.starts[block] + i;
              found.push([rows.places[row], `${rows.labels[row]} ${numbers(data.slice(i * cols, (i + 1) * cols))}`]);
            }
          }
          passes.push(digest(found.sort(([a], [b]) => a - b)));
        }
        const samples = await rows.samplesOf([0, 5]);
        return [passes, [...samples.values()].map(({ path }) => path).sort()];
      },
    },
    {
      name: 'single rows',
      weight: 20,
      async read({ store, pause }) {
        const opened = await openStore(store);
        const ids = [...(await opened.samples())].map(({ id }) => id);
        const access = openRows(opened);
        await pause();
        const some = await access.rowsById(ids.slice(0, 3), 'avg');
        await pause();
        const all = await access.rowsById(ids, 'avg');
        return digest([...some, ...all].map(([id, values]) => [id, numbers(values)]).sort());
      },
    },
    {
      name: 'inspect',
      weight: 10,
      async read({ store }) {
        const { images, classes, failed } = await inspect(store);
        return { images, classes, failed };
      },
    },
    {
      name: 'verify',
      weight: 10,
      async read({ store }) {
        const { ok, damaged, missing, orphans } = await verify(store);
        return { ok, damaged, missing, orphans };
      },
    },
    {
      name: 'export --csv',
      weight: 6,
      async read({ store, scratch }) {
        const csv = join(scratch, 'table.csv');
        const { images } = await exportTable(store, { csv });
        return [images, digest(readFileSync(csv, 'utf8'))];
      },
    },
    {
      name: 'check',
      weight: 2,
      async read({ store }) {
        const { images, copies, suspects } = await check(store);
        return digest([images, copies, suspects]);
      },
    },
    {
      name: 'train',
      weight: 2,
      async read({ store, scratch }) {
        const out = join(scratch, 'head.safetensors');
        const found = await train(store, { head: 'centroid', probeImages: 0, reject: 0, out });
        rmSync(out);
        return [found.accuracy, found.logLoss, found.trained];
      },
    },
    {
      name: 'sweep',
      weight: 1,
      async read({ store }) {
        const grid = { heads: [{ head: 'centroid' }, { head: 'ridge' }] };
        const { images, best } = await sweep(store, { grid, folds: 2, workers: 1 });
        return [images, best.name, best.accuracy, best.logLoss];
      },
    },
    {
      name: 'report',
      weight: 1,
      async read({ store, scratch }) {
        const out = join(scratch, 'report.html');
        const { images } = await writeReport(store, { out, maxThumbnails: 2, mapImages: 0 });
        return images;
      },
    },
    {
      name: 'neighbors',
      weight: 1,
      async read({ store, image }) {
        const { queries } = await neighbors(store, [image], { k: 3, engine: 'onnxruntime' });
        return queries.map((/** @type {any} */ one) => one.neighbors);
      },
    },
    {
      name: 'predict',
      weight: 1,
      async read({ head, image }) {
        const { predictions } = await predict(head, [image], { neighbors: 3, engine: 'onnxruntime' });
        return predictions.map((/** @type {any} */ one) => [one.label, one.neighbors]);
      },
    },
  ];
}
