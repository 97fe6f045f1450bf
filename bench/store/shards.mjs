// @ts-check
// What does one more shard cost in a store that has many?
//   npm run build && node bench/store/shards.mjs [--shards 2000]
// The real writer seals shards of four small rows. Prints for each quarter of them the milliseconds and the kilobytes
// written a shard (Linux counts them), seals and Arrow files included. The bench ends with 1 where a shard of the last
// quarter writes more than twice as much as one of the first, and where a killed writer's store, opened again, has not
// every shard.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dist } from './dist.mjs';
import { rowOf, settingsFor } from './generated-store.mjs';

const { values } = parseArgs({ options: { shards: { type: 'string', default: '2000' } } });
const count = Number(values.shards);
const ROWS = 4;
const WIDTH = 8;

const { openForWriting, setFor } = await dist('store/write/store.js');
const { featureWriter } = await dist('store/write/writer.js');

/** Bytes that this process has handed to the system; undefined where it does not tell. */
function written() {
  try {
    return Number(/^wchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'permafrost-shards-'));
try {
  const store = join(scratch, 'store');
  const { manifest } = await openForWriting(store, '0.0.0');
  const engine = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '0.0.0' };
  const set = setFor(manifest, { settings: settingsFor(), engine, widths: { flatten: WIDTH, avg: WIDTH, max: WIDTH } });
  const shardBytes = ROWS * WIDTH * 4;
  const expectedRows = count * ROWS;
  const writer = featureWriter({
    store: { path: store, manifest },
    set,
    poolings: ['avg'],
    expectedRows,
    shardBytes,
  });
  const data = new Float32Array(ROWS * WIDTH).fill(0.5);
  console.log(`${count} shards of ${ROWS} rows; ${cpus()[0]?.model}, load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  /** @type {(number | undefined)[]} */
  const kilobytes = [];
  for (let quarter = 0; quarter < 4; quarter++) {
    const [from, to] = [quarter, quarter + 1].map((part) => Math.floor((count * part) / 4));
    const [started, before] = [performance.now(), written()];
    for (let shard = Number(from); shard < Number(to); shard++) {
      const rows = Array.from({ length: ROWS }, (_, i) => rowOf(shard * ROWS + i));
      await writer.append({
        rows,
        features: new Map([['avg', { data, rows: ROWS, cols: WIDTH }]]),
      });
    }
    const done = Number(to) - Number(from);
    const after = written();
    kilobytes.push(before === undefined || after === undefined ? undefined : (after - before) / 1e3 / done);
    console.log(
      `shards ${String(from).padStart(5)} to ${String(to).padStart(5)}: ${((performance.now() - started) / done).toFixed(2).padStart(7)} ms and ${kilobytes.at(-1)?.toFixed(1) ?? '?'} kB a shard`,
    );
  }
  // The writer was not told to seal: its store is that of a process which was killed here.
  const again = await openForWriting(store, '0.0.0');
  const found = again.sets[0].shards.length;
  console.log(`opened again without an end: ${found} shards`);
  const [first, last] = [kilobytes[0], kilobytes[3]];
  if (found !== count || (first !== undefined && Number(last) > 2 * first)) process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
