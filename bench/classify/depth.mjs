// @ts-check
// How good are shallow heads on each layer of the frozen network, in the domain that it was trained on and in another
// one?
//   npm run build && node bench/classify/depth.mjs DATASET [--engine auto] [--precision auto] [--folds 5] [--seed 1]
//     [--views 0] [--layers NAMES]
// DATASET: photographs with train/ and val/. The bundled emoji, drawings, are the other domain. All layers go into one
// store by one pass, averaged over the map; then "permafrost sweep --cut" cross-validates the same heads on each, on
// the same folds. A layer's figure is that of its best head; --views 0,5 tries each head with and without views. Writes
// bench/results/depth-<time>.json.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeReport } from '../machine.mjs';

/** @typedef {import('../../src/results/sweep-result.ts').SweepResult} SweepResult */

const root = fileURLToPath(new URL('../../', import.meta.url));
const main = join(root, 'dist/cli/main.js');
if (!existsSync(main)) throw new Error('dist/ is missing. Run "npm run build" first.');
const { renderBundledDataset } = await import(
  new URL('../../dist/workflows/network/bundled-dataset.js', import.meta.url).href
);

const LAYERS = 'block1_pool,block2_pool,block3_pool,block4_pool,block5_pool';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    engine: { type: 'string', default: 'auto' },
    precision: { type: 'string', default: 'auto' },
    folds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    views: { type: 'string', default: '0' },
    layers: { type: 'string', default: LAYERS },
  },
});
const [given] = positionals;
if (given === undefined) throw new Error('Usage: node bench/classify/depth.mjs DATASET [--views 0,5]');
const layers = values.layers.split(',');
const mostViews = Math.max(...values.views.split(',').map(Number));
const HEADS = ['--head', 'logistic,linear-svm,knn', '--C', '0.1,1,10,100', '--n-neighbors', '5'];

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-bench-depth-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** @param {string[]} words */
function permafrost(...words) {
  const out = execFileSync(process.execPath, [main, ...words, '--json', '--quiet'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(out);
}

/**
 * @param {string} domain
 * @param {string} dataset
 */
function curve(domain, dataset) {
  const store = join(scratch, `${domain}.permafrost`);
  const cut = layers.map((layer) => `${layer}:avg`).join(',');
  const engine = ['--engine', values.engine, '--precision', values.precision];
  permafrost('extract', dataset, '--store', store, '--cut', cut, ...engine, '--views', String(mostViews));
  const axes = ['--cut', values.layers, '--pooling', 'avg', '--normalize', 'l2', '--pca', '0', '--views', values.views];
  /** @type {SweepResult} */
  const result = permafrost('sweep', store, ...axes, ...HEADS, '--folds', values.folds, '--seed', values.seed);
  console.log(`\n${domain}: ${result.images} training images, ${result.classes.length} classes, ${values.folds} folds`);
  const rows = layers.map((layer) => {
    // Ranked: the first one of a layer is its best.
    const best = result.candidates.find((one) => one.cut === layer);
    if (best === undefined) throw new Error(`No head could be fitted on ${layer}.`);
    const { value, interval } = best.scores.accuracy;
    const { head, changed, views, pValue, toldApart } = best;
    const settings = Object.entries(changed).map(([key, set]) => `${key}=${set}`);
    const told = best.rank === 1 ? 'the best' : toldApart ? 'told from the best' : 'not told from the best';
    console.log(
      `  ${layer.padEnd(12)} ${value.toFixed(3)} (${interval.map((bound) => bound.toFixed(3)).join(' .. ')})  ${[head, ...settings].join(' ')}${views > 0 ? ` ${views} views` : ''}; ${told} (p ${pValue.toFixed(4)})`,
    );
    return {
      domain,
      layer,
      accuracy: value,
      interval,
      head,
      changed,
      views,
      pValue,
      toldApart,
      rank: best.rank,
    };
  });
  const { name, accuracy, interval, validated, pooling } = result.best;
  console.log(
    `  the best of all on the ${validated} validation images: ${name} on ${pooling}, ${accuracy.toFixed(3)} (${interval.map((bound) => bound.toFixed(3)).join(' .. ')})`,
  );
  return {
    rows,
    best: { name, pooling, accuracy, interval, validated },
    candidates: result.candidates.length,
  };
}

const emoji = await renderBundledDataset(join(root, 'permafrost-demo/emoji'));
const domains = {
  photographs: curve('photographs', resolve(given)),
  emoji: curve('emoji', emoji.root),
};
console.log(
  writeReport('depth', {
    question: 'How good are shallow heads on each layer, in the same and in another domain?',
    options: values,
    heads: HEADS,
    domains,
  }),
);
