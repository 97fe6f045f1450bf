// @ts-check
// The network alone: node engine.mjs HEAD ENGINE PRECISION SECONDS IMAGE... Decoded pixels, batches of 8, two in the
// engine at a time, as the service does when many ask. Prints one line of JSON.
import { readFile } from 'node:fs/promises';

const dist = (/** @type {string} */ file) => new URL(`../../dist/${file}`, import.meta.url).href;
/** @type {typeof import('../../src/workflows/train/files/head-files.ts')} */
const { openHead } = await import(dist('workflows/train/files/head-files.js'));
/** @type {typeof import('../../src/workflows/classifier/live-networks.ts')} */
const { liveNetworks } = await import(dist('workflows/classifier/live-networks.js'));
/** @type {typeof import('../../src/workflows/classifier/image-squares.ts')} */
const { imageSquares } = await import(dist('workflows/classifier/image-squares.js'));
/** @type {typeof import('../../src/workflows/classifier/options.ts')} */
const { CLASSIFIER_OPTIONS } = await import(dist('workflows/classifier/options.js'));
/** @type {typeof import('../../src/core/options.ts')} */
const { resolveOptions } = await import(dist('core/options.js'));
/** @type {typeof import('../../src/workflows/train/files/judge-of-head.ts')} */
const { judgeOfHead } = await import(dist('workflows/train/files/judge-of-head.js'));

const BATCH = 8;
const [head = '', engine = '', precision = '', least = '', ...files] = process.argv.slice(2);
const asked = /** @type {import('../../src/workflows/classifier/options.ts').ClassifierOptions} */ ({
  engine,
  precision,
});
const options = resolveOptions('engine.mjs', CLASSIFIER_OPTIONS, asked);
const opened = await openHead(head);
const networks = await liveNetworks(opened.document, undefined, options, judgeOfHead(opened));
await networks.load();
const squares = await imageSquares(networks.contracts, 1e8);
/** @type {import('../../src/workflows/classifier/image-squares.ts').Squares[]} */
const images = [];
for (const file of files) images.push(await squares.squares(await readFile(file)));
await squares.close();

/** All images once. */
async function once() {
  let next = 0;
  const line = async () => {
    while (next < images.length) {
      const batch = images.slice(next, (next += BATCH));
      await networks.run(batch);
    }
  };
  await Promise.all([line(), line()]);
}

await networks.run(images.slice(0, BATCH));
const started = performance.now();
const cpu = process.cpuUsage();
let passes = 0;
while (passes === 0 || performance.now() - started < Number(least) * 1000) {
  await once();
  passes++;
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
const cpuMs = (user + system) / 1000 / (images.length * passes);
const one = performance.now();
const ones = Math.min(images.length, 16);
for (const image of images.slice(0, ones)) await networks.run([image]);
const oneMs = (performance.now() - one) / ones;
await networks.dispose();
console.log(JSON.stringify({ perSecond: (images.length * passes) / seconds, cpuMs, oneMs }));
