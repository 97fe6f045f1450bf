import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../../src/write-report.ts';
import { htmlReport } from '../../../src/report/html/page.ts';
import { run } from '../../../src/workflows/run/run.ts';
import { axeFindings, CHROMIUM, LOOKS, needsBrowser, startBrowser } from '../../support/browser.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { reportData } from '../../support/report-data.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const folder = temporaryFolders();
/** Where the screenshots go that a person may look at: a folder that git ignores. */
const SCREENSHOTS = join(import.meta.dirname, '../../../.tmp/screenshots');

describe.skipIf(CHROMIUM === null)(needsBrowser('a report in a browser, from a file'), () => {
  let browser: Browser;
  let file: string;
  let hostile: string;
  let mistakes: number;

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    const root = folder();
    const dataset = await stripedDataset(join(root, 'Stripes'), 6, 4);
    // One label is wrong, so that there is a mistake to open.
    const wrong = join(dataset, 'Val', 'down', 'wrong <b>&.png');
    writeFileSync(wrong, readFileSync(join(dataset, 'Val', 'across', '3.png')));
    const { store, heads } = await run(dataset, { store: join(root, 'store'), engine: 'onnxruntime' });
    mistakes = Math.round(heads[0]!.validated * (1 - heads[0]!.accuracy));
    const context = { signal: new AbortController().signal, listener: {} };
    ({ file } = await writeReport(store, {}, context));
    hostile = join(root, 'hostile.html');
    const script = readFileSync(new URL('../../../src/report/html/client.js', import.meta.url), 'utf8');
    writeFileSync(hostile, htmlReport(reportData(), { script, command: null }));
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  /** Opens a page and hands it over with everything that it asked for and complained of. */
  async function open(
    path: string,
    options: { colorScheme?: 'light' | 'dark'; width?: number } = {},
  ): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const { colorScheme = 'light', width = 1440 } = options;
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    const [requests, complaints]: [string[], string[]] = [[], []];
    page.on('request', (request) => requests.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('dialog', (dialog) => complaints.push(`dialog ${dialog.message()}`));
    await page.goto(pathToFileURL(path).href);
    return { page, requests, complaints };
  }

  it('asks for nothing but itself and complains of nothing', async () => {
    for (const path of [file, hostile]) {
      const { page, requests, complaints } = await open(path);
      expect(requests.filter((url) => !url.startsWith('data:'))).toEqual([pathToFileURL(path).href]);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('opens the images of a confusion cell with their nearest training images, by click and by keyboard', async () => {
    const { page, complaints } = await open(file);
    const cell = page.locator('button.cell[data-truth="1"][data-predicted="0"]');
    await cell.click();
    await page.locator('#cell .card').first().waitFor();
    expect(await page.locator('#cell-title').textContent()).toContain('down, taken for across: 1');
    expect(await page.locator('#cell .main .path').allTextContents()).toEqual(['Val/down/wrong <b>&.png']);
    expect(await page.locator('#cell .beside li').count()).toBe(3);
    // Pictures are decoded, not only named.
    const widths = await page.evaluate<number[]>(
      "Promise.all([...document.querySelectorAll('#cell img')].map((image) => image.decode().then(() => image.naturalWidth)))",
    );
    expect(widths).toEqual([96, 96, 96, 96]);
    await page.locator('#cell-back').click();
    expect(await page.locator('#cell').isHidden()).toBe(true);
    // Focus is back on the cell; Enter opens it again and moves on to what was opened.
    await page.keyboard.press('Enter');
    expect(await page.locator('#cell-title:focus').count()).toBe(1);
    expect(await cell.getAttribute('aria-expanded')).toBe('true');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows the image of a point of the map, by keyboard and by pointer, and colours anew', async () => {
    const { page, complaints } = await open(file);
    const said = page.locator('#map-said');
    await page.locator('#map').focus();
    const first = await said.textContent();
    expect(first).toMatch(/^(Train|Val)\/(across|down)\/.*: is (across|down)/);
    const heard = new Set([first]);
    for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
      await page.keyboard.press(key);
      heard.add(await said.textContent());
    }
    expect(heard.size).toBeGreaterThan(1);
    await page.locator('#map use').nth(3).hover({ force: true });
    expect(await page.locator('#map-shown img').count()).toBe(1);

    const classes = (): Promise<string[]> =>
      page.evaluate<string[]>("[...document.querySelectorAll('#map use')].map((use) => use.getAttribute('class'))");
    const byClass = await classes();
    await page.getByLabel('right or wrong').check();
    expect(await classes()).not.toEqual(byClass);
    expect((await classes()).filter((name) => name === 'c3')).toHaveLength(mistakes);
    expect(await page.locator('.legend:visible').allTextContents()).toEqual([expect.stringContaining('wrong')]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('keeps names as text also where its script puts them', async () => {
    const { page, complaints } = await open(hostile);
    await page.locator('button.cell[data-truth="1"][data-predicted="0"]').click();
    expect(await page.locator('#cell .main .path').textContent()).toBe(
      'val/bees/</script><img src=x onerror=alert(1)>.jpg',
    );
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(LOOKS)(
    'has no serious finding of axe and no sideways scrolling in %s at %i pixels',
    async (colorScheme, width) => {
      const { page } = await open(file, { colorScheme, width });
      await page.locator('button.cell[data-truth="1"][data-predicted="0"]').click();
      await page.locator('#map').focus();
      const { passes, serious } = await axeFindings(page);
      expect(passes).toBeGreaterThan(20);
      expect(serious).toEqual([]);
      expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
      await page.screenshot({
        path: join(SCREENSHOTS, `report-${colorScheme}-${width}.png`),
        fullPage: true,
      });
      await page.close();
    },
  );
});
