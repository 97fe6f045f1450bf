import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportWebResult } from '../../../../src/results/export-result.ts';
import type { PredictResult } from '../../../../src/results/answer-results.ts';
import type { WebAnswer, WebModel } from '../../../../src/workflows/export/web/web-model.ts';
import { axeFindings, CHROMIUM, LOOKS, needsBrowser, startBrowser } from '../../../support/browser.ts';
import { document, permafrost } from '../../../support/command.ts';
import { emojiDataset } from '../../../support/emoji-dataset.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { serveFolder, type StaticServer } from '../../../support/static-server.ts';

const folder = temporaryFolders();
const SCREENSHOTS = join(import.meta.dirname, '../../../../.tmp/screenshots');

/**
 * Largest difference of a probability from what `predict` says: what the file itself may be off. What Chromium makes of
 * half transparent pixels is a level off here and there.
 */
const TOLERANCE = 1e-3;

describe.skipIf(CHROMIUM === null)(needsBrowser('an exported page in a browser'), { timeout: 300_000 }, () => {
  let site: string;
  let head: string;
  let exported: ExportWebResult;
  let server: StaticServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const images: string[] = [];
  const complaints: string[] = [];

  async function open(options: { colorScheme?: 'light' | 'dark'; width?: number } = {}): Promise<Page> {
    const { colorScheme = 'light', width = 720 } = options;
    const made = await context.newPage();
    await made.emulateMedia({ colorScheme });
    await made.setViewportSize({ width, height: 800 });
    made.on('console', (message) => complaints.push(message.text()));
    made.on('pageerror', (error) => complaints.push(error.message));
    await made.goto(server.address);
    await made.getByText(/^Ready\./).waitFor();
    return made;
  }
  const answers = () => page.locator('#answers li');
  /** Of a file, by the module that other pages may import. */
  const classify = (path: string, on = page): Promise<WebAnswer> =>
    on.evaluate<WebAnswer>(`(async () => {
      const { openClassifier } = await import('./classifier.js');
      globalThis.opened ??= openClassifier();
      const bytes = Uint8Array.from(atob('${readFileSync(path).toString('base64')}'), (c) => c.charCodeAt(0));
      return (await globalThis.opened).predict(new Blob([bytes]));
    })()`);

  beforeAll(async () => {
    const root = folder();
    const dataset = await emojiDataset(join(root, 'Emoji'), ['bird', 'vehicle', 'fruit'], 8);
    const store = join(root, 'store');
    const network = ['--backbone', 'efficientnet-lite0', '--engine', 'onnxruntime', '--quiet'];
    expect((await permafrost(['extract', dataset, '--store', store, ...network])).code).toBe(0);
    const train = ['train', store, '--head', 'logistic', '--reject', '0.05', '--json', '--quiet'];
    head = document<{ file: string }>(await permafrost(train)).file;
    site = join(root, 'site');
    exported = document<ExportWebResult>(await permafrost(['export', head, '--web', site, '--json', '--quiet']));

    // What people have: large and small JPEGs, a turned one, grey ones, transparent ones.
    const made = join(root, 'images');
    await mkdir(made);
    const drawn = (label: string, i: number): Sharp => {
      const names = readdirSync(join(dataset, 'val', label)).sort();
      return sharp(readFileSync(join(dataset, 'val', label, names[i]!)));
    };
    const keep = async (name: string, image: Sharp): Promise<void> => {
      images.push(join(made, name));
      await image.toFile(join(made, name));
    };
    await keep('drawn.png', drawn('bird', 0).png());
    await keep('transparent.png', drawn('vehicle', 0).ensureAlpha(0.6).png());
    await keep('grey.png', drawn('fruit', 1).greyscale().png());
    await keep(
      'large.jpg',
      drawn('bird', 1).flatten({ background: '#fff' }).resize(1500, 1100, { fit: 'fill' }).jpeg(),
    );
    await keep(
      'turned.jpg',
      drawn('vehicle', 1)
        .flatten({ background: '#8ad' })
        .resize(300, 500, { fit: 'contain' })
        .withMetadata({ orientation: 6 })
        .jpeg({ quality: 80 }),
    );
    await keep(
      'small.jpg',
      drawn('fruit', 0)
        .flatten({ background: '#fff' })
        .resize(90, 61, { fit: 'fill' })
        .jpeg({ chromaSubsampling: '4:4:4' }),
    );
    await keep('picture.webp', drawn('vehicle', 2).flatten({ background: '#fed' }).webp({ lossless: true }));

    server = await serveFolder(site);
    browser = await startBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
    context = await browser.newContext();
    context.setDefaultTimeout(150_000);
    page = await open();
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  it('answers as predict does, whatever kind of file the image is', async () => {
    const finished = await permafrost(['predict', head, ...images, '-k', '0', '--json', '--quiet']);
    const { predictions } = document<PredictResult>(finished);
    for (const [i, told] of predictions.entries()) {
      const answer = await classify(images[i]!);
      expect(answer.label, images[i]).toBe(told.guess);
      for (const [label, probability] of Object.entries(told.probabilities))
        expect(Math.abs(answer.probabilities[label]! - probability), `${images[i]} ${label}`).toBeLessThan(TOLERANCE);
      expect(answer.novelty!, images[i]).toBeCloseTo(told.strangeness!.value, 2);
    }
  });

  it('calls an image unusual where predict does, the best guess first', async () => {
    const { predictions } = document<PredictResult>(
      await permafrost(['predict', head, ...images, '-k', '0', '--json', '--quiet']),
    );
    // At the threshold itself a level of a pixel decides.
    const clear = predictions.filter(
      ({ strangeness }) => Math.abs(strangeness!.value / strangeness!.threshold - 1) > 0.01,
    );
    expect(clear.length).toBeGreaterThan(3);
    for (const { path, unknown } of clear) expect((await classify(path)).unusual, path).toBe(unknown);
    const strange = join(folder(), 'noise.png');
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 256);
    await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } }).toFile(strange);
    expect((await classify(strange)).unusual).toBe(true);
    await page.locator('#files').setInputFiles(strange);
    const entry = answers().filter({ has: page.locator('img[alt="noise.png"]') });
    await entry.locator('.notice').waitFor();
    expect(await entry.locator('.answer > *').first().textContent()).toBe((await classify(strange)).label);
    expect(await entry.locator('.notice').textContent()).toMatch(
      /^Unusual: it is unlike the images .* \([\w-]+ [\d.]+; 95\.0 % of images of its classes stay below [\d.]+\)\.$/,
    );
  });

  it('takes chosen, dropped and pasted images, with classes as bars, and says so where one is none', async () => {
    const text = join(folder(), 'no-image.png');
    writeFileSync(text, 'no image at all');
    await page.locator('#files').setInputFiles([images[0]!, text]);
    const [first, second] = [images[0]!, text].map((path) => path.replace(/^.*[/\\]/, ''));
    const entry = answers().filter({ has: page.locator(`img[alt="${first}"]`) });
    await entry.locator('tbody tr').nth(2).waitFor();
    expect(await entry.locator('tbody th').allTextContents()).toHaveLength(3);
    const shares = (await entry.locator('td:last-child').allTextContents()).map(parseFloat);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares.reduce((a, b) => a + b)).toBeCloseTo(100, 0);
    await answers()
      .filter({ hasText: `${second} is not read:` })
      .waitFor();

    const data = readFileSync(images[2]!).toString('base64');
    const file = `new File([Uint8Array.from(atob('${data}'), (c) => c.charCodeAt(0))], 'NAME.png', { type: 'image/png' })`;
    await page.evaluate(`{
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(${file.replace('NAME', 'dropped')});
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(${file.replace('NAME', 'pasted')});
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
    }`);
    for (const name of ['dropped.png', 'pasted.png'])
      await answers()
        .filter({ has: page.locator(`img[alt="${name}"]`) })
        .locator('h2')
        .waitFor();
  });

  it('takes pixels as the contract says: not turned, and the colours under what is transparent', async () => {
    const other = join(folder(), 'other');
    cpSync(site, other, { recursive: true });
    const model = JSON.parse(readFileSync(join(site, 'model.json'), 'utf8')) as WebModel;
    const contracts = model.contracts.map((contract) => ({ ...contract, orientation: 'ignore', alpha: 'drop' }));
    writeFileSync(join(other, 'model.json'), JSON.stringify({ ...model, contracts }));
    const served = await serveFolder(other);
    const otherPage = await context.newPage();
    await otherPage.goto(served.address);

    // Colours that alpha hides in part and altogether.
    const [width, height] = [96, 80];
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) => {
      const [x, y] = [(i >> 2) % width, Math.floor((i >> 2) / width)];
      return [x * 2, y * 3, ((x >> 3) + (y >> 3)) % 2 === 0 ? 40 : 220, Math.max(0, x * 3 - 30)][i % 4]!;
    });
    const hidden = sharp(rgba, { raw: { width, height, channels: 4 } });
    const files = ['hidden.png', 'bare.png', 'turned.jpg', 'unturned.jpg'].map((name) => join(other, name));
    await hidden.clone().png().toFile(files[0]!);
    await hidden.clone().removeAlpha().png().toFile(files[1]!);
    const turned = readFileSync(images.find((path) => path.endsWith('turned.jpg'))!);
    writeFileSync(files[2]!, turned);
    // The same bytes, with the orientation under another tag.
    const tag = turned.indexOf(Buffer.from([0x01, 0x12, 0x00, 0x03]));
    const swapped = turned.indexOf(Buffer.from([0x12, 0x01, 0x03, 0x00]));
    const at = tag === -1 ? swapped : tag;
    expect(at).toBeGreaterThan(0);
    const unturned = Buffer.from(turned);
    unturned[at + (tag === -1 ? 0 : 1)] = 0x13;
    writeFileSync(files[3]!, unturned);
    for (const [asked, plain] of [
      [files[0]!, files[1]!],
      [files[2]!, files[3]!],
    ] as const) {
      const found = await classify(asked, otherPage);
      expect(found.probabilities, asked).toEqual((await classify(plain)).probabilities);
      // It is no matter of course: the page as exported takes them otherwise.
      expect(found.probabilities, asked).not.toEqual((await classify(asked)).probabilities);
    }
    await otherPage.close();
    await served.stop();
  });

  it('says again and again what the camera sees, and stops', async () => {
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.locator('#live h2').waitFor();
    expect(await page.locator('#video').evaluate((video) => (video as { videoWidth?: number }).videoWidth)).toBe(640);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    await page.getByRole('button', { name: 'Use the camera' }).waitFor();
    expect(await page.locator('#video').isHidden()).toBe(true);
  });

  it('loads nothing but its own files, as many bytes as the export said, and opens without a network', async () => {
    await page.getByText('opens without a network too').waitFor();
    const own = new Set(readdirSync(site, { recursive: true }).map((name) => `/${String(name).replaceAll('\\', '/')}`));
    expect(server.asked.filter((path) => path !== '/' && !own.has(path))).toEqual([]);
    const bytes = [...new Set(server.asked)].map(
      (path) => readFileSync(join(site, path === '/' ? 'index.html' : path)).length,
    );
    // The service worker asks for index.html by its name.
    const start = readFileSync(join(site, 'index.html')).length;
    expect(bytes.reduce((a, b) => a + b) - start).toBe(exported.bytes);
    await server.stop();
    const again = await open();
    const answered = again.locator('#answers li h2');
    await again.locator('#files').setInputFiles(images[0]!);
    await answered.waitFor();
    expect(await again.evaluate('crossOriginIsolated')).toBe(true);
    await again.close();
  });

  it.each(LOOKS)('is readable and operable, %s at %i pixels', async (colorScheme, width) => {
    const looked = await open({ colorScheme, width });
    await looked.locator('#files').setInputFiles(images.slice(0, 2));
    await looked.locator('#answers li h2').nth(1).waitFor();
    const { passes, serious } = await axeFindings(looked);
    expect(serious).toEqual([]);
    expect(passes).toBeGreaterThan(10);
    expect(await looked.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    mkdirSync(SCREENSHOTS, { recursive: true });
    await looked.screenshot({ path: join(SCREENSHOTS, `export-${colorScheme}-${width}.png`) });
    await looked.close();
  });

  it('broke none of its own rules meanwhile', () => {
    expect(complaints).toEqual([]);
  });
});
