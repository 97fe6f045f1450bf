import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, needsBrowser, startBrowser } from '../../support/browser.ts';
import { permafrost } from '../../support/command.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();

/** Drops files and folders of the disk on an element, as a file manager does: by the browser's own input. */
async function drop(page: Page, selector: string, ...files: string[]): Promise<void> {
  const zone = page.locator(selector).first();
  await zone.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await zone.boundingBox())!;
  const input = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await input.send('Input.dispatchDragEvent', {
      type,
      x: x + width - 8,
      y: y + height / 2,
      data: { items: [], files, dragOperationsMask: 1 },
    });
  }
}

describe.skipIf(CHROMIUM === null)(needsBrowser('a folder that is dropped on the studio'), { timeout: 180_000 }, () => {
  let browser: Browser;
  let studio: StudioProcess;
  let page: Page;
  let root: string;
  const alert = (text: string | RegExp): Promise<void> => page.getByRole('alert').filter({ hasText: text }).waitFor();

  beforeAll(async () => {
    root = folder();
    const dataset = await stripedDataset(join(root, 'Stripes'), 4, 4);
    const store = join(root, 'store');
    expect((await permafrost(['extract', dataset, '--store', store, '--quiet'])).code).toBe(0);
    // Nested, with a hidden file and a text beside the images.
    cpSync(join(dataset, 'Val/across'), join(root, 'ants/inner/deeper'), { recursive: true });
    cpSync(join(dataset, 'Train/across/0.png'), join(root, 'ants/first.PNG'));
    writeFileSync(join(root, 'ants/notes.txt'), 'seen in May');
    writeFileSync(join(root, 'ants/.DS_Store'), '');
    mkdirSync(join(root, 'empty/inner'), { recursive: true });
    writeFileSync(join(root, 'empty/inner/song.mp3'), '');
    studio = await startStudio(store);
    browser = await startBrowser();
    page = await browser.newPage();
    page.setDefaultTimeout(50_000);
    await page.goto(studio.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await studio?.stop();
  });

  it('gives a taught class its images at any depth, and says what was left out', async () => {
    await page.getByRole('link', { name: 'Teach', exact: true }).click();
    await page.getByRole('textbox', { name: 'New class' }).fill('ants');
    await page.keyboard.press('Enter');
    const card = page.getByRole('listitem', { name: 'Class ants' });
    await card.waitFor();
    await drop(page, 'li[aria-label="Class ants"] .drop', join(root, 'ants'));
    await card.getByText('5 images', { exact: true }).waitFor();
    await alert('The folder ants holds 5 images. 1 other file is left out.');
    // A file and a folder at once.
    await drop(page, 'li[aria-label="Class ants"] .drop', join(root, 'Stripes/Val/down'), join(root, 'ants/first.PNG'));
    await card.getByText(/^(9|10) images$/).waitFor();
  });

  it('is refused in true words where it holds no image', async () => {
    await drop(page, 'li[aria-label="Class ants"] .drop', join(root, 'empty'));
    await alert('The folder empty holds no image. 1 other file is left out.');
  });

  it('is searched by its first image, which is said', async () => {
    await page.getByRole('link', { name: 'Search', exact: true }).click();
    await drop(page, '.drop', join(root, 'ants'));
    await page.locator('#waited').waitFor();
    await alert('This is first.PNG, one of 5 files: an image is searched at a time.');
    expect(await page.locator('.asked').getAttribute('alt')).toBe('Your image first.PNG');
  });

  it('is not the fault of the studio where a file went away or the connection broke', async () => {
    const gone = join(root, 'gone.png');
    cpSync(join(root, 'ants/first.PNG'), gone);
    await page.route('**/api/search*', (route) => route.abort());
    await drop(page, '.drop', gone);
    await alert('The connection broke on the way; the studio answers again.');
    await page.unroute('**/api/search*');
    await page.route('**/api/search*', (route) => {
      rmSync(gone);
      return route.abort();
    });
    await drop(page, '.drop', gone);
    await alert('The file cannot be read');
    await page.unroute('**/api/search*');
  });

  it('says that the studio does not answer once it is so', async () => {
    await studio.stop();
    await drop(page, '.drop', join(root, 'ants/first.PNG'));
    await alert('The studio does not answer. Start it again');
  });
});
