// @ts-check
// Do heads train and answer within a stated memory on features that are larger than it?
//   npm run build && node bench/classify/stream.mjs [--rows 60000] [--val 3000] [--memory 2GB] [--head logistic]...
//     [--epochs N] [--folder FOLDER] [--whole]
// Makes a store of `rows` training and `val` validation rows of 25,088 float16 numbers in a temporary folder (3 GB at
// 60,000 rows), with class means, shared factors and noise behind a ReLU, five in a hundred labels wrong. Each head is
// trained in a fresh process, whose peak resident memory beside the estimate, passes, seconds and accuracy are printed;
// --epochs bounds the heads that are trained by epochs. --whole also trains in memory, to compare. --folder keeps the
// store there for the next time.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeStore } from './stream-store.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '60000' },
    val: { type: 'string', default: '3000' },
    memory: { type: 'string', default: '2GB' },
    head: { type: 'string', multiple: true, default: ['logistic'] },
    epochs: { type: 'string', default: '0' },
    folder: { type: 'string', default: '' },
    whole: { type: 'boolean', default: false },
  },
});
const folder = values.folder || mkdtempSync(join(tmpdir(), 'permafrost-bench-stream-'));
const store = join(folder, `rows-${values.rows}-${values.val}.permafrost`);
try {
  if (!existsSync(store)) {
    const started = performance.now();
    await makeStore(store, Number(values.rows), Number(values.val));
    console.log(`store made in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  console.log(
    `${values.rows} + ${values.val} rows x 25,088, float16; ${cpus()[0]?.model}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
  );
  console.log('head | memory | estimate | peak resident | seconds | accuracy | log loss | notes');
  for (const head of values.head) {
    for (const memory of values.whole ? [values.memory, '100GB'] : [values.memory]) {
      const started = performance.now();
      const script = fileURLToPath(new URL('stream-train.mjs', import.meta.url));
      const text = execFileSync(
        process.execPath,
        [script, store, head, memory, join(folder, 'head.safetensors'), values.epochs],
        {
          encoding: 'utf8',
          maxBuffer: 2 ** 26,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      const { peak, estimate, accuracy, logLoss, notes } = JSON.parse(text);
      const line = [
        head,
        memory,
        estimate === undefined ? 'in memory' : `${estimate} GB`,
        `${(peak / 1e9).toFixed(2)} GB`,
        ((performance.now() - started) / 1000).toFixed(0),
        accuracy.toFixed(4),
        logLoss.toFixed(4),
        notes.join('; '),
      ];
      console.log(line.join(' | '));
    }
  }
} finally {
  if (values.folder === '') rmSync(folder, { recursive: true, force: true });
}
