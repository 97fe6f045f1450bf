// @ts-check
/*
 * What an exported page answers in a browser beside what `predict` does, and how long a browser takes.
 *
 *   npm run build && node bench/export/web-page.mjs HEAD-OR-STORE FOLDER-OF-IMAGES [--fp16 | --int8 | flags of export]
 *   PERMAFROST_BROWSER=firefox-esr node --experimental-websocket bench/export/web-page.mjs …
 *
 * It prints on how many images the likeliest class and "unusual" are the same, the largest difference of a probability,
 * and the median time of an image: alone, with the threads of an isolated page, and of a picture of 12 megapixels.
 * Needs a Chromium on the PATH; PERMAFROST_BROWSER names another one, or a Firefox of 2025 or later.
 */
import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import sharp from 'sharp';
import { machineFacts, writeReport } from '../machine.mjs';
import { median } from '../median.mjs';
import { openPage, shows } from './browsers.mjs';

const [head = '', images = '', ...precision] = process.argv.slice(2);
/** @param {string[]} args */
const permafrost = (...args) =>
  JSON.parse(
    execFileSync(process.execPath, ['dist/cli/main.js', ...args, '--json', '--quiet'], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    }),
  );
const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
});

/**
 * @typedef {{ label: string, unusual: boolean, probabilities: Record<string, number>, milliseconds: number }} Answer
 * @param {import('./browsers.mjs').BrowserPage} page
 * @param {Buffer} bytes
 * @returns {Promise<Answer & { whole: number }>} whole: milliseconds from the file on
 */
const ask = (page, bytes) =>
  page.evaluate(`(async () => {
    const { openClassifier } = await import('./classifier.js');
    globalThis.opened ??= openClassifier();
    const classifier = await globalThis.opened;
    const file = new Blob([Uint8Array.from(atob('${bytes.toString('base64')}'), (c) => c.charCodeAt(0))]);
    const started = performance.now();
    const answer = await classifier.predict(file);
    return { ...answer, whole: performance.now() - started };
  })()`);

const work = await mkdtemp(join(tmpdir(), 'permafrost-web-'));
const site = join(work, 'site');
const server = createServer((request, response) => {
  const path = request.url === '/' ? '/index.html' : String(request.url);
  response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
  createReadStream(join(site, path))
    .on('error', () => response.end())
    .pipe(response);
});
const page = await openPage(process.env['PERMAFROST_BROWSER'] ?? 'chromium');
try {
  const exported = permafrost('export', head, '--web', site, ...precision);
  const { predictions } = permafrost('predict', head, images, '-k', '0');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const opening = performance.now();
  await page.goto(`http://127.0.0.1:${port}/`);
  await shows(page, /Ready\./);
  const openMs = performance.now() - opening;

  let [same, sameUnknown, largest] = [0, 0, 0];
  const [alone, threaded, sizes] = [[], [], []].map((list) => /** @type {number[]} */ (list));
  for (const { path, guess, unknown, probabilities } of predictions) {
    const bytes = await readFile(path);
    const { width, height } = await sharp(bytes).metadata();
    sizes?.push(width * height);
    const answer = await ask(page, bytes);
    if (answer.label === guess) same++;
    if (answer.unusual === unknown) sameUnknown++;
    for (const [label, p] of Object.entries(probabilities))
      largest = Math.max(largest, Math.abs(p - /** @type {number} */ (answer.probabilities[label])));
    alone?.push(answer.whole);
  }
  const first = await readFile(predictions[0].path);
  const photo = await sharp(first).resize(4000, 3000, { fit: 'fill' }).jpeg({ quality: 90 }).toBuffer();
  const large = [];
  for (let i = 0; i < 5; i++) large.push((await ask(page, photo)).whole);
  await shows(page, /opens without a network too/);
  await page.reload();
  /** @type {number} */
  const threads = await page.evaluate(
    "import('./classifier.js').then(async ({ openClassifier }) => (await (globalThis.opened ??= openClassifier())).threads)",
  );
  for (const { path } of predictions.slice(0, 20)) threaded?.push((await ask(page, await readFile(path))).whole);

  const ms = (/** @type {number[] | undefined} */ list) => `${median(list ?? []).toFixed(0)} ms`;
  console.log(
    [
      `${page.version}. ${exported.title}: ${(exported.bytes / 1e6).toFixed(1)} MB to load, the model ${(exported.model.bytes / 1e6).toFixed(1)} MB, ${exported.model.precision}; ready after ${(openMs / 1000).toFixed(1)} s from this machine`,
      `same class ${same} of ${predictions.length}, the same unusual ${sameUnknown}; a probability is at most ${largest.toExponential(1)} off`,
      `an image of ${(median(sizes ?? []) / 1e6).toFixed(2)} megapixels ${ms(alone)}, with ${String(threads)} threads ${ms(threaded)}; one of 12 megapixels ${ms(large)} (medians, decoding included)`,
      writeReport('web-page', {
        browser: page.version,
        exported,
        openMs,
        same,
        sameUnknown,
        largest,
        threads,
        alone,
        threaded,
        large,
      }),
      JSON.stringify(machineFacts()),
    ].join('\n'),
  );
} finally {
  await page.close();
  server.close();
  await rm(work, { recursive: true, force: true });
}
