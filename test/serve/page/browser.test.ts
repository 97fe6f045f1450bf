import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type RunningService } from '../../../src/serve/serve.ts';
import { axeFindings, CHROMIUM, LOOKS, needsBrowser, startBrowser } from '../../support/browser.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { servedStore, type ServedStore } from '../../support/service.ts';

const folder = temporaryFolders();
const TOKEN = 'let me in';

describe.skipIf(CHROMIUM === null)(needsBrowser('the page to try the service'), { timeout: 120_000 }, () => {
  let browser: Browser;
  let service: RunningService;
  let made: ServedStore;
  const complaints: string[] = [];
  const elsewhere: string[] = [];

  async function open(colorScheme: 'light' | 'dark' = 'light', width = 1440): Promise<Page> {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(service.url) && !request.url().startsWith('blob:')) elsewhere.push(request.url());
    });
    await page.goto(service.url);
    return page;
  }
  async function letIn(page: Page): Promise<void> {
    await page.getByLabel('Token of this service').fill(TOKEN);
    await page.getByRole('button', { name: 'Use it' }).click();
    await page.getByText('2 classes').waitFor();
  }

  beforeAll(async () => {
    made = await servedStore(folder());
    service = await serve([`stripes=${made.logistic}`, `near=${made.centroid}`], {
      port: 0,
      engine: 'onnxruntime',
      token: TOKEN,
    });
    browser = await startBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });

  it('asks for the token, then answers images that are chosen, with neighbours on wish', async () => {
    const page = await open();
    await page.getByRole('alert').getByText('TOKEN_MISSING').waitFor();
    await letIn(page);
    expect(await page.getByRole('alert').textContent()).toBe('');
    await page.getByLabel('Neighbours').fill('2');
    const broken = { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('no image') };
    const image = { name: 'a.png', mimeType: 'image/png', buffer: readFileSync(made.image('across')) };
    await page.locator('#files').setInputFiles([image, broken]);
    await page.getByText('IMAGE_UNDECODABLE').first().waitFor();
    expect(await page.locator('.answer').count()).toBe(2);
    const first = page.locator('.answer').first();
    expect(await first.getByRole('heading').textContent()).toMatch(/^(across|down), \d+\.\d %$/);
    expect(await first.getByRole('progressbar').count()).toBe(2);
    expect(await first.getByText(/^0\.\d{3} (across|down): /).count()).toBe(2);
    await page.getByLabel('Head').selectOption('near');
    expect(await page.locator('#curl').textContent()).toContain('head=near');
    await page.getByText('POST /predict').first().click();
    await page.getByText('How many of the likeliest classes').first().waitFor();
    await page.close();
  });

  it('loads nothing from elsewhere, and its policy stops nothing of it', () => {
    expect(elsewhere).toEqual([]);
    // The browser itself tells of the refusal before the token, and of nothing else.
    expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  });

  it.each(LOOKS)('has no serious fault of accessibility: %s, %i pixels', async (scheme, width) => {
    const page = await open(scheme, width);
    await letIn(page);
    const { passes, serious } = await axeFindings(page);
    expect(serious).toEqual([]);
    expect(passes).toBeGreaterThan(15);
    const isWide = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
    expect(isWide).toBe(false);
    await page.close();
  });
});
