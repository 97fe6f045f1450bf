// @ts-check The pictures of README.md (report and studio side by side) and docs/studio.md, from the bundled data set.
// Needs "npm run build" and Chromium; makes that set's store where it is not there; restores the store's studio folder.
// node bench/studio/pictures.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { EMOJI, EMOJI_STORE, MAIN, makeBundledStore } from './bundled-store.mjs';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const PICTURES = root('docs/pictures');
const WIDTH = 1100;

// A copy, so that nothing is left in the store that npm start made.
const folder = mkdtempSync(join(tmpdir(), 'permafrost-pictures-'));
const store = join(folder, 'emoji.permafrost');
makeBundledStore();
cpSync(EMOJI_STORE, store, { recursive: true });
rmSync(join(store, 'studio'), { recursive: true, force: true });
const child = spawn(process.execPath, [MAIN, 'studio', store, '--json', '--quiet'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
/** @type {string} */
const address = await new Promise((resolve, reject) => {
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ more) => {
    text += more;
    if (text.trimEnd().endsWith('}')) resolve(JSON.parse(text).address);
  });
  child.once('exit', (code) => reject(new Error(`the studio ended with ${code}`)));
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: WIDTH, height: 760 }, colorScheme: 'light' });
page.setDefaultTimeout(120_000);

/** @param {string} name @param {boolean} whole */
async function take(name, whole = false) {
  await page.waitForLoadState('networkidle');
  const png = await page.screenshot({ fullPage: whole });
  const height = whole ? 1500 : 760;
  await sharp(png)
    .resize(WIDTH, height, { fit: 'cover', position: 'top', withoutEnlargement: true })
    .webp({ quality: 60 })
    .toFile(join(PICTURES, `studio-${name}.webp`));
}
/** The report's page and the studio's beside each other, half as large. */
async function overview() {
  const studio = await page.screenshot();
  const paper = await browser.newPage({ viewport: { width: WIDTH, height: 760 }, colorScheme: 'light' });
  await paper.goto(`${pathToFileURL(join(store, 'report.html'))}#heads`);
  const report = await paper.screenshot();
  await paper.close();
  const [width, gap] = [760, 16];
  const halves = await Promise.all([report, studio].map((png) => sharp(png).resize(width).png().toBuffer()));
  const { height } = await sharp(halves[0]).metadata();
  await sharp({ create: { width: 2 * width + gap, height, channels: 3, background: 'white' } })
    .composite(halves.map((input, i) => ({ input, left: i * (width + gap), top: 0 })))
    .webp({ quality: 60 })
    .toFile(join(PICTURES, 'overview.webp'));
}
/** @param {string} label @param {number} count @param {number} from */
const files = (label, count, from = 0) =>
  readdirSync(join(EMOJI, 'val', label))
    .slice(from, from + count)
    .map((name) => join(EMOJI, 'val', label, name));
/** @param {string} name */
const part = (name) => page.getByRole('link', { name, exact: true }).click();

mkdirSync(PICTURES, { recursive: true });
await page.goto(address);
await page.getByRole('combobox', { name: 'Judged by' }).selectOption({ index: 1 });
await page.getByRole('combobox', { name: 'Verdict' }).selectOption('wrong');
await page.locator('.verdict.wrong').first().waitFor();
await take('browse');
await overview();

await part('Search');
await page.locator('#map use').first().waitFor();
await page.locator('input[type=file]').setInputFiles(files('bird', 1, 3));
await page.locator('.landed').waitFor();
await take('search', true);

await part('Teach');
for (const label of ['bird', 'vehicle']) {
  await page.getByRole('textbox', { name: 'New class' }).fill(label);
  await page.keyboard.press('Enter');
  const card = page.getByRole('listitem', { name: `Class ${label}`, exact: true });
  await card.locator('input[type=file]').setInputFiles(files(label, 8));
  await card.getByText('8 images', { exact: true }).waitFor();
}
await page.locator('#taught-head', { hasText: 'had not seen' }).waitFor();
await page
  .getByRole('region', { name: 'Try it' })
  .locator('input[type=file]')
  .setInputFiles(files('bird', 1, 12));
await page.locator('#taught-answer tbody').waitFor();
await take('teach', true);

await part('Sweep');
await page.getByRole('button', { name: 'Start the sweep' }).click();
await page.locator('#sweep-best').waitFor();
await take('sweep');

await part('Review');
await page.locator('.suspects .card').first().waitFor();
await page.locator('.suspects .card').first().getByRole('button', { name: /^Keep/ }).click();
await page.locator('#review-state', { hasText: '1 decision' }).waitFor();
await take('review');

await browser.close();
child.kill('SIGINT');
await once(child, 'exit');
rmSync(folder, { recursive: true });
