// @ts-check
// Commands that run out of memory, at ten sizes each.
//
//   npm run build && node bench/faults/memory.mjs [--commands extract,train] [--sizes 10]
//
// The limit is that of written private pages (prlimit --data, RLIMIT_DATA), which Linux counts since 4.7: V8 reserves
// tens of gigabytes of addresses that it never writes, so that under a limit of addresses (--as, ulimit -v) Node starts
// or not, and nothing lies between. Sizes lie between what Node needs to start and what the command takes.
//
// A run that is too small must end with words and a code other than 0, leave the store whole (`verify`), and the same
// command must do its work when it is run again without the limit. Where V8 itself gives up ("FATAL ERROR ... heap out
// of memory") or the system's allocator does, the words are theirs: these runs are counted apart.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DIST } from '../store/dist.mjs';
import { baseStore } from './fuzz-base.mjs';

const { values } = parseArgs({
  options: { commands: { type: 'string', default: '' }, sizes: { type: 'string', default: '10' } },
});
const MAIN = fileURLToPath(new URL('cli/main.js', DIST));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-memory-'));

/**
 * Runs a command, with at most so many megabytes of data.
 * @param {readonly string[]} args
 * @param {number} [megabytes]
 */
function run(args, megabytes) {
  const limit = megabytes === undefined ? [] : ['prlimit', `--data=${megabytes * 2 ** 20}`];
  const [program = '', ...rest] = [...limit, process.execPath, MAIN, ...args, '--quiet'];
  const { status, signal, stderr } = spawnSync(program, rest, {
    encoding: 'utf8',
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  return { code: status, signal, stderr };
}

/**
 * The most data that a command takes, in MB, found by halving: the least limit under which it ends well.
 * @param {() => void} fresh
 * @param {readonly string[]} args
 */
function needed(fresh, args) {
  let [low, high] = [48, 1024];
  while (high - low > 64) {
    const middle = (low + high) >> 1;
    fresh();
    if (run(args, middle).code === 0) high = middle;
    else low = middle;
  }
  return high;
}

const FOREIGN = /FATAL ERROR|out of memory|terminate called|bad_alloc|Cannot allocate|ERR_WORKER|ENOMEM|Aborted/i;

try {
  const base = await baseStore(folder);
  const [data, store] = [join(folder, 'data'), join(folder, 'store')];
  const image = join(data, 'Val', 'down', '0.png');
  const cut = ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg'];
  /** @type {Record<string, { readonly args: readonly string[], readonly begins?: 'empty' }>} */
  const all = {
    extract: { args: ['extract', data, '--store', store, ...cut], begins: 'empty' },
    run: { args: ['run', data, '--store', store, ...cut], begins: 'empty' },
    train: { args: ['train', store, '--head', 'logistic'] },
    sweep: { args: ['sweep', store, '--head', 'centroid,ridge', '--pca', '0', '--folds', '2', '--workers', '1'] },
    predict: { args: ['predict', image, '--store', store] },
    neighbors: { args: ['neighbors', store, image] },
    verify: { args: ['verify', store] },
    report: { args: ['report', store] },
    export: { args: ['export', store, '--csv', join(folder, 'table.csv')] },
    gc: { args: ['gc', store] },
  };
  const wanted = values.commands === '' ? Object.keys(all) : values.commands.split(',');
  let findings = 0;
  let runs = 0;
  for (const name of wanted) {
    const { args, begins } = /** @type {any} */ (all)[name];
    const fresh = () => {
      rmSync(store, { recursive: true, force: true });
      if (begins !== 'empty') cpSync(base, store, { recursive: true });
    };
    const most = needed(fresh, args);
    const sizes = Array.from({ length: Number(values.sizes) }, (_, i) =>
      Math.round(48 + ((most - 48) * i) / Number(values.sizes)),
    );
    /** @type {Record<string, number>} */
    const counts = {};
    for (const size of sizes) {
      fresh();
      const { code, signal, stderr } = run(args, size);
      runs++;
      const ended =
        code === 0
          ? 'done'
          : signal === 'SIGKILL'
            ? 'HUNG'
            : /\[INTERNAL\]/.test(stderr)
              ? 'INTERNAL'
              : /\[[A-Z_]+\]/.test(stderr)
                ? 'in words'
                : FOREIGN.test(stderr)
                  ? 'words of V8 or of a library'
                  : `silent (${signal ?? code})`;
      counts[ended] = (counts[ended] ?? 0) + 1;
      const told = () =>
        console.log(
          `  ${name} at ${size} MB: ${ended}: ${stderr.trim().split('\n').slice(0, 3).join(' / ').slice(0, 300)}`,
        );
      if (!['done', 'in words', 'words of V8 or of a library'].includes(ended)) {
        findings += ended.startsWith('silent') ? 0 : 1;
        told();
      }
      if (existsSync(join(store, 'manifest.json'))) {
        const after = run(['verify', store]);
        if (after.code !== 0) {
          findings++;
          console.log(`  ${name} at ${size} MB: not whole: ${after.stderr.slice(-300)}`);
        }
      }
      const again = run(args);
      if (again.code !== 0) {
        findings++;
        console.log(`  ${name} at ${size} MB: not right afterwards: ${again.stderr.slice(-300)}`);
      }
    }
    const text = Object.entries(counts).map(([ended, count]) => `${ended} ${count}`);
    console.log(`${name}: needs ${most} MB; ${sizes[0]} to ${sizes.at(-1)} MB: ${text.join(', ')}`);
  }
  console.log(`${runs} runs, ${findings} findings`);
  process.exitCode = findings === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
