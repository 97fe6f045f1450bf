// A process that brings data sets into several sets of a store through the built writer, as `extract` does, and kills
// itself (SIGKILL) before the n-th change that it makes to the file system. Argument: JSON with dist (URL of the
// build), plan (path), killAt (0: never). Where the plan `keeps`, the rows of an open shard are kept after each batch.
// Prints the changes that it made as JSON: what was done to which file, for example "rename manifest.json".
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

const { dist, plan: planFile, killAt } = JSON.parse(process.argv[2]);
const plan = JSON.parse(await fs.readFile(planFile, 'utf8'));

const changes = [];
/** @param {string} what @param {unknown} path */
function step(what, path) {
  changes.push(`${what} ${basename(String(path)).replace(/\.[\w-]+\.\d+\.[0-9a-f]{8}\.tmp$/, '')}`);
  if (changes.length !== killAt) return;
  process.kill(process.pid, 'SIGKILL');
  for (;;); // Nothing more happens, however long the signal takes.
}

for (const name of ['mkdir', 'rename', 'rm']) {
  const original = fs[name];
  fs[name] = (...args) => {
    step(name, args.at(name === 'rename' ? 1 : 0));
    return original(...args);
  };
}
const open = fs.open;
fs.open = async (...args) => {
  step('open', args[0]);
  const handle = await open(...args);
  const { sync, close, write } = handle;
  handle.writeFile = async (chunk) => {
    step('write', args[0]);
    // Torn in two: a kill finds half of it on disk.
    const half = chunk.length >> 1;
    await write.call(handle, chunk.subarray(0, half));
    step('half', args[0]);
    await write.call(handle, chunk.subarray(half));
  };
  handle.sync = () => (step('sync', args[0]), sync.call(handle));
  handle.close = () => (step('close', args[0]), close.call(handle));
  return handle;
};
syncBuiltinESMExports();

const { commitDataset, openForWriting, setFor } = await import(`${dist}/store/write/store.js`);
const { setsWriter } = await import(`${dist}/store/write/sets-writer.js`);

const { store, sets, engine, widths, shardBytes, rows, datasets, batch, keeps } = plan;
// The clock stands still, and no time is too short to keep what was appended.
const going = keeps ? { goesOn: true, keeping: { afterMs: 0, now: () => 0 } } : {};
for (const images of datasets) {
  const { manifest } = await openForWriting(store, '0.0.0');
  const wanted = sets.map(({ settings, features }) => ({
    set: setFor(manifest, { settings, engine, widths }),
    poolings: Object.keys(features),
  }));
  const writer = await setsWriter({
    store: { path: store, manifest },
    wanted,
    expectedRows: images.length,
    shardBytes,
    ...going,
  });
  const missing = images.filter((i) => !writer.isKnown(rows[i].sha256));
  for (let at = 0; at < missing.length; at += batch) {
    const part = missing.slice(at, at + batch);
    const batches = sets.map(({ features }) => {
      const matrices = Object.entries(features).map(([pooling, values]) => {
        const data = Float32Array.from(part.flatMap((i) => values[i]));
        return [pooling, { data, rows: part.length, cols: widths[pooling] }];
      });
      return { rows: part.map((i) => rows[i]), features: new Map(matrices) };
    });
    await writer.append(batches);
  }
  await writer.seal();
  const samples = images.map((i) => rows[i]);
  await commitDataset({ path: store, manifest }, { root: '/pictures', sets: wanted, samples, failures: [] });
}
process.stdout.write(JSON.stringify(changes));
