// @ts-check
// What a warm call of a classifier costs beside the network alone.
//   npm run build && nice -n 10 node bench/classifier/warm-call.mjs HEAD-OR-STORE IMAGE... [--rounds 60] [--limit 1.15]
// For each image in turn, in an order that changes: the network alone on its square (decoded before), then `predict` of
// the square as pixels, of the file's bytes, and of its path. The features are those of the same file, so the answers
// are compared first and must be equal. Then 8 calls at once, an image. Prints medians in milliseconds and the ratio of
// each to the network alone; fails where pixels take more than `limit` times as long. Writes
// bench/results/warm-call-<time>.json.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { machineFacts, writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { dist } from '../store/dist.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '60' }, limit: { type: 'string', default: '1.15' } },
});
const [source, ...images] = positionals;
if (source === undefined || images.length === 0)
  throw new Error('Give a head or a store, and images: node bench/classifier/warm-call.mjs HEAD-OR-STORE IMAGE...');
const { openClassifier } = await dist('workflows/classifier/classifier.js');
const { liveNetworks } = await dist('workflows/classifier/live-networks.js');
const { imageSquares } = await dist('workflows/classifier/image-squares.js');
const { openHead } = await dist('workflows/train/files/head-files.js');
const { layersOfHead } = await dist('workflows/train/files/tuned-files.js');

const classifier = await openClassifier(source);
const { facts } = classifier;
const head = await openHead(facts.file);
const { name: engine, device, precision } = facts.engine;
const request = { engine, device, precision, threads: 0, weights: '' };
const network = await liveNetworks(head.document, await layersOfHead(head, ''), request);
await network.load();
const decoder = await imageSquares(network.contracts);

const asked = await Promise.all(
  images.map(async (path) => {
    const squares = await decoder.squares(path);
    const size = network.contracts[0].size;
    return {
      path,
      bytes: readFileSync(path),
      squares,
      pixels: { data: squares[0], width: size, height: size, channels: 3 },
    };
  }),
);
/** @typedef {(typeof asked)[number]} Asked */
/** @type {Record<string, (image: Asked) => Promise<unknown>>} */
const ways = {
  'network alone': ({ squares }) => network.run([squares]),
  pixels: ({ pixels }) => classifier.predict(pixels),
  bytes: ({ bytes }) => classifier.predict(bytes),
  path: ({ path }) => classifier.predict(path),
};
for (const image of asked) {
  const found = [await ways['bytes']?.(image), await ways['path']?.(image)].map((answer) => JSON.stringify(answer));
  if (found[0] !== found[1]) throw new Error(`${image.path}: a path and its bytes have other answers`);
}

const names = Object.keys(ways);
/** @type {Record<string, number[]>} */
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  const image = /** @type {Asked} */ (asked[round % asked.length]);
  for (let i = 0; i < names.length; i++) {
    const name = /** @type {string} */ (names[(i + round) % names.length]);
    const started = performance.now();
    await ways[name]?.(image);
    times[name]?.push(performance.now() - started);
  }
}
/** @type {number[]} */
const together = [];
for (let round = 0; round < Math.ceil(Number(values.rounds) / 8); round++) {
  const started = performance.now();
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => classifier.predict(/** @type {Asked} */ (asked[i % asked.length]).pixels)),
  );
  together.push((performance.now() - started) / 8);
}
await classifier.close();
await network.dispose();
await decoder.close();

const alone = median(times['network alone'] ?? []);
const medians = Object.fromEntries(names.map((name) => [name, median(times[name] ?? [])]));
const rows = { ...medians, '8 calls at once, an image': median(together) };
console.log(
  `${facts.backbone}, ${facts.head} on ${facts.pooling}, ${engine} ${device} ${precision}; ${values.rounds} rounds`,
);
for (const [name, ms] of Object.entries(rows))
  console.log(`${name.padEnd(28)} ${ms.toFixed(2)} ms  ${(ms / alone).toFixed(3)}`);
console.log(writeReport('warm-call', { facts, medians: rows, times, together }));
console.log(JSON.stringify(machineFacts()));
const ratio = Number(medians['pixels']) / alone;
if (ratio > Number(values.limit)) {
  console.error(`pixels take ${ratio.toFixed(3)} times the network alone, above ${values.limit}`);
  process.exitCode = 1;
}
