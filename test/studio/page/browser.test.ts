import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderBundledDataset } from '../../../src/workflows/network/bundled-dataset.ts';
import { axeFindings, CHROMIUM, LOOKS, needsBrowser, startBrowser } from '../../support/browser.ts';
import { document, permafrost } from '../../support/command.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();
/** Where the screenshots go that a person may look at: a folder that git ignores. */
const SCREENSHOTS = join(import.meta.dirname, '../../../.tmp/screenshots');

describe.skipIf(CHROMIUM === null)(needsBrowser('the studio in a browser'), { timeout: 180_000 }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let studio: StudioProcess;
  let root: string;
  let dataset: string;
  let store: string;
  let page: Page;
  const complaints: string[] = [];

  /** A picture from outside the store. */
  const picture = (label: string, i: number): string => join(root, 'Fresh', label, `${i}.png`);

  async function open(
    start: StudioProcess,
    options: { colorScheme?: 'light' | 'dark'; width?: number } = {},
  ): Promise<Page> {
    const { colorScheme = 'light', width = 1440 } = options;
    const made = await context.newPage();
    await made.emulateMedia({ colorScheme });
    await made.setViewportSize({ width, height: 900 });
    made.on('console', (message) => complaints.push(message.text()));
    made.on('pageerror', (error) => complaints.push(error.message));
    await made.goto(start.address);
    await made.getByRole('heading', { level: 1 }).waitFor();
    return made;
  }
  const part = (name: string): Promise<void> => page.getByRole('link', { name, exact: true }).click();

  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    root = folder();
    const { root: drawn } = await renderBundledDataset(join(root, 'drawn'), {});
    dataset = join(root, 'Emoji');
    for (const label of ['bird', 'vehicle']) {
      const files = ['train', 'val'].flatMap((split) =>
        readdirSync(join(drawn, split, label)).map((name) => join(drawn, split, label, name)),
      );
      const copy = (to: string, from: number, count: number): void => {
        mkdirSync(to, { recursive: true });
        for (let i = 0; i < count; i++) copyFileSync(files[from + i]!, join(to, `${i}.png`));
      };
      copy(join(dataset, 'Train', label), 0, 12);
      copy(join(dataset, 'Val', label), 12, 6);
      // Pictures to drop and to teach with.
      copy(join(root, 'Fresh', label), 18, 16);
    }
    // Labels that are wrong, for the review to find.
    const wrong = join(dataset, 'Val', 'vehicle', 'wrong <b>&.png');
    renameSync(join(dataset, 'Val', 'bird', '5.png'), wrong);
    store = join(root, 'store');
    const ran = await permafrost([
      'run',
      dataset,
      '--store',
      store,
      '--engine',
      'onnxruntime',
      '--no-report',
      '--quiet',
    ]);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
    studio = await startStudio(store);
    browser = await startBrowser('--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream');
    context = await browser.newContext();
    context.setDefaultTimeout(50_000);
    page = await open(studio);
  });
  afterAll(async () => {
    await browser?.close();
    await studio?.stop();
  });

  it('shows pages of thumbnails, filtered by class, split and what a head says', async () => {
    await page.locator('.tiles li').first().waitFor();
    expect(await page.locator('.tiles li').count()).toBe(36);
    await page.getByRole('combobox', { name: 'Class', exact: true }).selectOption('vehicle');
    await page.getByRole('combobox', { name: 'Split' }).selectOption('val');
    await page.getByText('7 images, page 1 of 1').waitFor();
    await page.getByRole('combobox', { name: 'Judged by' }).selectOption({ index: 1 });
    const matching = async (verdict: string): Promise<number> => {
      await page.getByRole('combobox', { name: 'Verdict' }).selectOption(verdict);
      await page.waitForURL(new RegExp(`verdict=${verdict}`));
      await page.locator(`section[data-shown*='"verdict":"${verdict}"']`).waitFor();
      return parseInt((await page.getByText(/ images?, page 1 of 1/).textContent())!, 10);
    };
    expect((await matching('right')) + (await matching('wrong'))).toBe(7);
    await page.getByRole('combobox', { name: 'Verdict' }).selectOption('');
    await page.getByRole('searchbox', { name: 'Path contains' }).fill('wrong');
    await page.keyboard.press('Tab');
    await page.getByText('1 image, page 1 of 1').waitFor();
    expect(await page.locator('.tiles .path').allTextContents()).toEqual(['Val/vehicle/wrong <b>&.png']);
    const width = await page.evaluate<number>(
      "document.querySelector('.tiles img').decode().then(() => document.querySelector('.tiles img').naturalWidth)",
    );
    expect(width).toBe(160);
    // The address holds the filter: a reload shows the same.
    await page.reload();
    await page.getByText('1 image, page 1 of 1').waitFor();
    expect(await page.getByRole('searchbox', { name: 'Path contains' }).inputValue()).toBe('wrong');
  });

  it('opens an image with facts, answers and neighbours, by keyboard alone', async () => {
    const tile = page.locator('.tile').first();
    await tile.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Val/vehicle/wrong <b>&.png' }).waitFor();
    expect(await dialog.locator('.answers .card').count()).toBeGreaterThan(0);
    const distances = await dialog.locator('.tile .n').allTextContents();
    expect(distances).toHaveLength(12);
    const numbers = distances.map((text) => Number(text.replace('distance ', '')));
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers);
    // A neighbour opens in its turn, and Escape gives the focus back.
    await dialog.locator('.tile').first().focus();
    await page.keyboard.press('Enter');
    await dialog.getByRole('heading', { name: /^(Train|Val)\/(bird|vehicle)\/\d+\.png$/ }).waitFor();
    await page.keyboard.press('Escape');
    expect(await dialog.count()).toBe(0);
    expect(await page.locator('.tile:focus').count()).toBe(1);
  });

  it('answers about a dropped image: heads, neighbours and the place on the map', async () => {
    await part('Search');
    const data = readFileSync(picture('bird', 12)).toString('base64');
    await page.evaluate(`{
      const content = Uint8Array.from(atob('${data}'), (c) => c.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([content], 'dropped.png', { type: 'image/png' }));
      const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true });
      document.querySelector('.drop').dispatchEvent(event);
    }`);
    await page.locator('#waited').waitFor();
    expect(await page.locator('.answers .card').first().locator('tbody th').first().textContent()).toBe('bird');
    expect(await page.locator('.tiles li').count()).toBe(12);
    await page.locator('#map use').first().waitFor();
    expect(await page.locator('#map > use').count()).toBe(36);
    // Also where it was dropped before the map was drawn.
    await page.locator('.landed').waitFor();
    const said = page.locator('#map-said');
    await page.locator('#map').focus();
    const first = await said.textContent();
    expect(first).toMatch(/: bird, (train|val)$/);
    const heard = new Set([first]);
    for (const key of ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']) {
      await page.keyboard.press(key);
      heard.add(await said.textContent());
    }
    expect(heard.size).toBeGreaterThan(1);
  });

  it('answers about a pasted image, from the clipboard by the keyboard, and says so where it holds none', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], {
      origin: new URL(studio.address).origin,
    });
    const data = readFileSync(picture('vehicle', 14)).toString('base64');
    await page.evaluate(`(async () => {
      const content = Uint8Array.from(atob('${data}'), (c) => c.charCodeAt(0));
      const blob = new Blob([content], { type: 'image/png' });
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
    })()`);
    const before = await page.locator('.asked').getAttribute('src');
    await page.locator('body').press('Control+V');
    await page.locator(`.asked:not([src="${before}"])`).waitFor();
    // The picture comes with its answer, not before it.
    const top = page.locator('.answers .card').first().locator('tbody th').first();
    expect(await top.textContent()).toBe('vehicle');
    expect(await page.locator('.asked').getAttribute('alt')).toBe('Your image image.png');
    expect(await page.locator('.tiles li').count()).toBe(12);

    await page.evaluate("navigator.clipboard.writeText('only words')");
    await page.locator('body').press('Control+V');
    await page.getByRole('alert').filter({ hasText: 'The clipboard holds no image' }).waitFor();
  });

  it('trains a head on demand, whose answer then stands beside the others', async () => {
    await page.locator('details.heads summary').click();
    const before = await page.locator('.answers .card').count();
    await page.getByRole('combobox', { name: 'Train', exact: true }).selectOption('centroid');
    await page.getByRole('button', { name: 'Train it' }).click();
    await page.locator('.answers h3', { hasText: 'centroid' }).waitFor();
    expect(await page.locator('.answers .card').count()).toBe(before + 1);
  });

  it('refuses what is no image in a sentence, and goes on', async () => {
    const text = join(root, 'no-image.png');
    writeFileSync(text, 'no image at all');
    await page.locator('input[type=file]').setInputFiles(text);
    await page.getByRole('alert').filter({ hasText: 'no JPEG, PNG' }).waitFor();
    // The browser tells of the refusal too: that one is meant.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
    await page.locator('input[type=file]').setInputFiles(picture('vehicle', 12));
    await page.locator('#waited').waitFor();
    expect(await page.locator('.answers .card').first().locator('tbody th').first().textContent()).toBe('vehicle');
  });

  it('teaches two classes with five images each: a head in milliseconds, measured on images it had not seen', async () => {
    await part('Teach');
    await page.locator('#taught-head', { hasText: 'two classes' }).waitFor();
    for (const label of ['bird', 'vehicle']) {
      await page.getByRole('textbox', { name: 'New class' }).fill(label);
      await page.keyboard.press('Enter');
      const card = page.getByRole('listitem', { name: `Class ${label}` });
      await card.locator('input[type=file]').setInputFiles([0, 1, 2, 3, 4].map((i) => picture(label, i)));
      await card.getByText('5 images', { exact: true }).waitFor();
    }
    const head = page.locator('#taught-head');
    await head.getByText('On images that it had not seen').waitFor();
    expect(await head.textContent()).toMatch(
      /regression on 10 images, fitted in [\d.]+ ms.*5 folds of 10 independent groups/,
    );
    await page.getByRole('region', { name: 'Try it' }).locator('input[type=file]').setInputFiles(picture('vehicle', 9));
    await page.locator('#taught-answer tbody th').first().waitFor();
    expect(await page.locator('#taught-answer tbody th').first().textContent()).toBe('vehicle');
  });

  it('undoes, deletes and renames, and refuses a name that is taken', async () => {
    const card = (label: string) => page.getByRole('listitem', { name: `Class ${label}`, exact: true });
    await card('vehicle')
      .getByRole('button', { name: /Delete image 1 of vehicle/ })
      .click();
    await card('vehicle').getByText('4 images', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await card('vehicle').getByText('5 images', { exact: true }).waitFor();
    await card('vehicle').getByRole('button', { name: 'Delete vehicle', exact: true }).click();
    await page.locator('#taught-head', { hasText: 'two classes' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await card('vehicle').getByText('5 images', { exact: true }).waitFor();
    await card('vehicle').getByRole('button', { name: 'Rename vehicle' }).click();
    await card('vehicle').getByRole('textbox', { name: 'New name' }).fill('Bird');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'There is a class "bird" already' }).waitFor();
    expect(complaints.splice(0)).toEqual([expect.stringContaining('400')]);
    await card('vehicle').getByRole('button', { name: 'Rename vehicle' }).click();
    await card('vehicle').getByRole('textbox', { name: 'New name' }).fill('cars');
    await page.keyboard.press('Enter');
    await card('cars').getByText('5 images', { exact: true }).waitFor();
  });

  it('takes pictures with the camera, and counts one take as one image', async () => {
    await page.getByRole('textbox', { name: 'New class' }).fill('camera');
    await page.keyboard.press('Enter');
    const card = page.getByRole('listitem', { name: 'Class camera', exact: true });
    await card.getByRole('button', { name: 'Use the camera for camera' }).click();
    await card.getByRole('button', { name: 'Take one after the other' }).click();
    await card.getByText(/^[3-9] images$/).waitFor();
    await card.getByRole('button', { name: 'Stop' }).click();
    await card.getByRole('button', { name: 'Take one after the other' }).waitFor();
    await page.locator('#taught-head', { hasText: 'camera has 1.' }).waitFor();
    await card.getByRole('button', { name: 'Close the camera' }).click();
    await card.getByRole('button', { name: 'Delete camera', exact: true }).click();
    await page.locator('#taught-head', { hasText: 'regression on 10 images' }).waitFor();
  });

  it('saves what was taught as a head file that predict reads and as a data set that run reads', async () => {
    const save = page.getByRole('region', { name: 'Save it' });
    await save.getByLabel('Name').fill('stripes');
    await save.getByRole('button', { name: 'As a head file' }).click();
    const saved = page.locator('#taught-saved .path');
    await saved.filter({ hasText: 'taught-stripes.safetensors' }).waitFor();
    const head = (await saved.textContent())!;
    const predicted = document<{ predictions: { label: string }[] }>(
      await permafrost(['predict', head, picture('vehicle', 10), picture('bird', 10), '--json', '--quiet']),
    );
    expect(predicted.predictions.map(({ label }) => label)).toEqual(['cars', 'bird']);

    await save.getByRole('button', { name: 'As a folder data set' }).click();
    await saved.filter({ hasText: join('taught', 'stripes') }).waitFor();
    const made = (await saved.textContent())!;
    expect(readdirSync(join(made, 'Train'))).toEqual(['bird', 'cars']);
    expect(readdirSync(join(made, 'Train', 'bird'))[0]).toBe('0001-0.png');
    expect(readFileSync(join(made, 'Train', 'bird', '0001-0.png'))).toEqual(readFileSync(picture('bird', 0)));
    const again = await permafrost(['extract', made, '--store', store, '--quiet', '--json', '--engine', 'onnxruntime']);
    expect(document(again)).toMatchObject({ images: 10, failed: [], classes: ['bird', 'cars'] });
    expect((await permafrost(['extract', dataset, '--store', store, '--quiet', '--engine', 'onnxruntime'])).code).toBe(
      0,
    );
    await save.getByRole('button', { name: 'As a folder data set' }).click();
    await page.getByRole('alert').filter({ hasText: 'is there already' }).waitFor();
    expect(complaints.splice(0)).toEqual([expect.stringContaining('400')]);
  });

  it('sweeps: the leaderboard fills, the sweep stops, and the next one goes on from there', async () => {
    await part('Sweep');
    await page.locator('#sweep-state', { hasText: 'No sweep' }).waitFor();
    // Whole maps and many folds take seconds: long enough to be stopped.
    const features = page.getByRole('group', { name: 'Features' });
    await features.getByRole('checkbox', { name: 'flatten' }).check();
    await features.getByRole('checkbox', { name: 'avg', exact: true }).uncheck();
    await page.getByRole('spinbutton', { name: 'Folds' }).fill('12');
    await page.getByRole('button', { name: 'Start the sweep' }).click();
    await page.locator('.scroll tbody tr').first().waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#sweep-state', { hasText: 'was stopped' }).waitFor();
    const rows = await page.locator('.scroll tbody tr').count();
    await page.getByRole('button', { name: 'Start the sweep' }).click();
    await page.getByText('The sweep is running.').waitFor();
    // What was found before the stop is known now.
    await page
      .locator('.scroll td', { hasText: /^known$/ })
      .nth(rows - 1)
      .waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('#sweep-state', { hasText: 'was stopped' }).waitFor();
    await features.getByRole('checkbox', { name: 'avg', exact: true }).check();
    await features.getByRole('checkbox', { name: 'flatten' }).uncheck();
    await page.getByRole('textbox', { name: 'Principal components' }).fill('0,64');
    await page.getByRole('spinbutton', { name: 'Folds' }).fill('3');
    await page.getByRole('button', { name: 'Start the sweep' }).click();
    await page.locator('#sweep-best').waitFor();
    expect(await page.locator('#sweep-state').textContent()).toBe('The sweep is done.');
    // 24 training images have no 64 principal components: that half of the grid is told as left out.
    expect(await page.locator('.scroll tbody tr').count()).toBe(34);
    await page.getByRole('alert').filter({ hasText: '34 configurations could not be fitted' }).waitFor();
    expect(await page.locator('#sweep-best').textContent()).toMatch(/on 12 validation images.*heads/);
    // Lines stand in the order of their accuracy.
    const accuracies = await page.locator('.scroll tbody tr td:nth-child(3)').allTextContents();
    const numbers = accuracies.map((text) => parseFloat(text));
    expect([...numbers].sort((a, b) => b - a)).toEqual(numbers);
  });

  it('sweeps just the heads, normalisations, components and values that are asked for, by keyboard', async () => {
    const heads = page.getByRole('group', { name: 'Heads' });
    for (const name of ['lda', 'linear-svm', 'knn', 'kernel-ridge', 'kernel-logistic', 'ensemble']) {
      await heads.getByRole('checkbox', { name, exact: true }).focus();
      await page.keyboard.press('Space');
    }
    const button = page.getByRole('button', { name: 'Start the sweep' });
    await heads.getByRole('checkbox', { name: 'logistic', exact: true }).uncheck();
    expect(await button.isDisabled()).toBe(true);
    await page.getByText('Tick at least one under each heading (head has none).').waitFor();
    await heads.getByRole('checkbox', { name: 'logistic', exact: true }).check();
    await page.getByRole('group', { name: 'Normalisation' }).getByRole('checkbox', { name: 'sqrt' }).uncheck();
    // Options of heads that are not asked for are not offered.
    expect(await page.getByRole('textbox', { name: 'nNeighbors' }).count()).toBe(0);
    await page.getByRole('textbox', { name: 'Principal components' }).fill('0,4');
    await page.getByRole('textbox', { name: 'C', exact: true }).fill('0.5, 5');
    await page.getByLabel('Ranked by').selectOption('log loss');
    await page.getByText('More options of these heads').click();
    await page.getByRole('textbox', { name: 'classWeight' }).fill('none,balanced');
    await page.keyboard.press('Enter');
    await page.getByText('8 of 8', { exact: true }).waitFor();
    await page.locator('#sweep-best').waitFor();
    expect(await page.locator('.scroll tbody tr').count()).toBe(8);
    expect(new Set(await page.locator('.scroll tbody td:nth-child(2)').allTextContents())).toEqual(
      new Set(['avg, l2', 'avg, l2, 4 components']),
    );
    const settings = await page.locator('.scroll tbody th').allTextContents();
    expect(settings.filter((text) => text.includes('C 0.5'))).toHaveLength(4);
    expect(settings.filter((text) => text.includes('classWeight balanced'))).toHaveLength(4);
    const losses = (await page.locator('.scroll tbody td:nth-child(6)').allTextContents()).map(Number);
    expect([...losses].sort((a, b) => a - b)).toEqual(losses);
    expect(new Set(losses).size).toBeGreaterThan(1);
    await page.getByText('Leaderboard, the best first by log loss').waitFor({ state: 'attached' });

    await page.getByRole('textbox', { name: 'C', exact: true }).fill('much');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'C takes numbers with commas between them' }).waitFor();
    expect(complaints.splice(0)).toEqual([expect.stringContaining('400')]);
  });

  it('lets labels be kept or changed, and saves them as a file that extract reads; no folder is touched', async () => {
    await part('Review');
    const suspect = page.getByRole('listitem', { name: 'Val/vehicle/wrong <b>&.png' });
    await suspect.getByRole('button', { name: 'Make it bird' }).click();
    await suspect.getByText('It becomes bird').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await suspect.getByText('Not decided').waitFor();
    await suspect.getByRole('button', { name: 'Make it bird' }).click();
    await page.locator('#review-state', { hasText: '1 of them change a label' }).waitFor();
    await page.getByRole('button', { name: 'Save the labels' }).click();
    const file = (await page.locator('#review-saved .path').textContent())!;
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(37);
    expect(lines).toContain('Val/vehicle/wrong <b>&.png,bird,val');
    expect(existsSync(join(dataset, 'Val', 'vehicle', 'wrong <b>&.png'))).toBe(true);
    const relabelled = join(root, 'relabelled');
    const extracted = await permafrost([
      'extract',
      dataset,
      '--labels',
      file,
      '--store',
      relabelled,
      '--engine',
      'onnxruntime',
    ]);
    expect(extracted.stderr).toContain('gives 1 of 36 images another label or split');
    const inspected = document<{ classes: { label: string; splits: Record<string, number> }[] }>(
      await permafrost(['inspect', relabelled, '--json']),
    );
    expect(inspected.classes).toEqual([
      { label: 'bird', splits: { train: 12, val: 6 } },
      { label: 'vehicle', splits: { train: 12, val: 6 } },
    ]);
  });

  it('finds everything again after a reload, and after the server was killed and started again', async () => {
    const state = async (): Promise<string[]> => {
      await part('Teach');
      await page.locator('#taught-head', { hasText: 'regression on 10 images' }).waitFor();
      const taught = await page.locator('.classes h3').allTextContents();
      await part('Review');
      await page.locator('#review-state', { hasText: '1 decision' }).waitFor();
      return [...taught, ...(await page.getByText('It becomes bird').allTextContents())];
    };
    const before = await state();
    expect(before).toEqual(['bird 5 images', 'cars 5 images', '✓ It becomes bird.']);
    await page.reload();
    expect(await state()).toEqual(before);

    const dead = once(studio.child, 'exit');
    studio.child.kill('SIGKILL');
    await dead;
    await page.close();
    // A line that was not finished when the power went.
    const journal = join(store, 'studio', 'teach.jsonl');
    writeFileSync(journal, `${readFileSync(journal, 'utf8')}{"entry":{"do":"remove-cl`);
    studio = await startStudio(store);
    page = await open(studio);
    expect(await state()).toEqual(before);
    expect((await permafrost(['verify', store])).code).toBe(0);
  });

  it('keeps what is typed into the filter while an answer arrives', async () => {
    await part('Review');
    let answer = (): void => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    const lists = /\/api\/images(\?|$)/;
    await page.route(lists, async (route) => {
      await held;
      await route.continue();
    });
    const asked = page.waitForRequest(lists);
    await part('Browse');
    const field = page.getByRole('searchbox', { name: 'Path contains' });
    await field.fill('Val/bird');
    await asked;
    answer();
    await page.getByText(/ images, page 1 of 1/).waitFor();
    expect(await field.inputValue()).toBe('Val/bird');
    await page.keyboard.press('Tab');
    await page.getByText('5 images, page 1 of 1').waitFor();
    await field.fill('');
    await page.keyboard.press('Tab');
    await page.getByText('36 images, page 1 of 1').waitFor();
    await page.unroute(lists);
  });

  it('steps through the images of a page, and sets a wrong label right where it is seen, by keyboard alone', async () => {
    await part('Browse');
    await page.getByRole('searchbox', { name: 'Path contains' }).fill('Val/bird');
    await page.keyboard.press('Tab');
    await page.getByText('5 images, page 1 of 1').waitFor();
    await page.locator('.tile').first().focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('heading', { name: 'Val/bird/0.png' }).waitFor();
    expect(await dialog.getByRole('button', { name: 'Previous image' }).isDisabled()).toBe(true);
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('heading', { name: 'Val/bird/1.png' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await dialog.getByRole('heading', { name: 'Val/bird/2.png' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await dialog.getByRole('heading', { name: 'Val/bird/1.png' }).waitFor();
    const label = dialog.getByRole('combobox', { name: 'It should be' });
    expect(await label.inputValue()).toBe('bird');
    await label.fill('penguin');
    await page.keyboard.press('ArrowRight'); // moves the caret, not the image
    await page.keyboard.press('Enter');
    await dialog.getByText('It becomes penguin').waitFor();
    await page.keyboard.press('Escape');
    await part('Review');
    const other = page.getByRole('listitem', { name: 'Val/bird/1.png' });
    await other.getByText('It becomes penguin').waitFor();
    await page.locator('#review-state', { hasText: '2 decisions, 2 of them' }).waitFor();
    await page.getByRole('button', { name: 'Save the labels' }).click();
    await page.locator('#review-saved').waitFor();
    const trained = await permafrost(['train', store, '--labels', join(store, 'studio', 'labels.csv')]);
    expect({ code: trained.code, stdout: trained.stdout }).toEqual({ code: 1, stdout: '' });
    expect(trained.stderr).toMatch(/penguin.*\[DATASET_CLASSES\]/);
    await page.getByRole('button', { name: 'Undo' }).click();
    await other.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save the labels' }).click();
    await expect
      .poll(() => readFileSync(join(store, 'studio', 'labels.csv'), 'utf8'), { timeout: 20_000 })
      .not.toContain('penguin');
    const again = await permafrost(['train', store, '--labels', join(store, 'studio', 'labels.csv')]);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("1 image counted under another label or split than the store's.");
  });

  it.each(LOOKS)(
    'has no serious finding of axe and no sideways scrolling in %s at %i pixels',
    async (colorScheme, width) => {
      const other = await open(studio, { colorScheme, width });
      const look = async (name: string): Promise<void> => {
        const { passes, serious } = await axeFindings(other);
        expect(passes, name).toBeGreaterThan(15);
        expect(serious, name).toEqual([]);
        expect(await other.evaluate<number>('document.documentElement.scrollWidth'), name).toBe(width);
        await other.screenshot({
          path: join(SCREENSHOTS, `studio-${name}-${colorScheme}-${width}.png`),
          fullPage: true,
        });
      };
      const go = (name: string): Promise<void> => other.getByRole('link', { name, exact: true }).click();
      await other.locator('.tiles li').first().waitFor();
      await other.locator('details.heads summary').click();
      await other.getByRole('combobox', { name: 'Judged by' }).selectOption({ index: 1 });
      await other.locator('.verdict').first().waitFor();
      await look('browse');
      await other.locator('.tile').first().click();
      await other.locator('dialog .tile').first().waitFor();
      await look('image');
      await other.keyboard.press('Escape');
      await go('Search');
      await other.locator('input[type=file]').setInputFiles(picture('bird', 13));
      await other.locator('.landed').waitFor();
      await other.locator('#map').focus();
      await look('search');
      await go('Teach');
      await other.locator('.classes .card').first().waitFor();
      await other.getByRole('button', { name: 'Rename bird' }).click();
      await look('teach');
      await go('Sweep');
      await other.getByText('More options of these heads').click();
      await other.getByRole('button', { name: 'Start the sweep' }).click();
      await other.locator('#sweep-best').waitFor();
      await look('sweep');
      await go('Review');
      await other.locator('.suspects .card').first().waitFor();
      await look('review');
      await other.close();
    },
  );

  it('complained of nothing in all of this', () => {
    expect(complaints).toEqual([]);
    expect(studio.stderr()).not.toContain('failed');
  });
});
