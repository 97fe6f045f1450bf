import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM, needsBrowser, startBrowser } from '../../support/browser.ts';
import { permafrost } from '../../support/command.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { api, startStudio, type StudioProcess } from '../../support/studio.ts';

const folder = temporaryFolders();

describe.skipIf(CHROMIUM === null)(needsBrowser('what a browser has of the studio'), { timeout: 180_000 }, () => {
  let browser: Browser;
  let studio: StudioProcess;
  let page: Page;
  /** A server of somebody else on another port, and the cookies that it was sent. */
  let other: Server;
  const cookies: (string | undefined)[] = [];

  beforeAll(async () => {
    const root = folder();
    const dataset = await stripedDataset(join(root, 'Stripes'), 4, 2);
    const store = join(root, 'store');
    const options = ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg', '--quiet'];
    expect((await permafrost(['extract', dataset, '--store', store, ...options])).code).toBe(0);
    studio = await startStudio(store);
    other = createServer((request, response) => {
      cookies.push(request.headers.cookie);
      response.setHeader('Content-Type', 'text/html');
      response.end('<img src="/api/store"><iframe src="/index.html"></iframe><p>elsewhere');
    }).listen(0, '127.0.0.1');
    await once(other, 'listening');
    browser = await startBrowser();
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(50_000);
    await page.goto(studio.address);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await studio?.stop();
    other?.close();
  });

  it('shows marks that turn the writing direction in names, and hides none', async () => {
    await api(studio, 'POST', '/api/teach/classes', { name: 'cat\u202egpj.exe' });
    await api(studio, 'POST', '/api/teach/classes', { name: 'dog\u2066\u200f' });
    await page.getByRole('link', { name: 'Teach', exact: true }).click();
    await page.getByRole('heading', { name: 'Teach' }).waitFor();
    await page.reload();
    await page.getByRole('listitem', { name: 'Class dog\\u2066\\u200f', exact: true }).waitFor();
    await page.getByRole('listitem', { name: 'Class cat\\u202egpj.exe', exact: true }).waitFor();
    expect(await page.locator('body').innerText()).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/);
  });

  it('keeps its token from servers on other ports, and lets the page itself in', async () => {
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    await elsewhere.getByText('elsewhere').first().waitFor();
    expect(cookies.length).toBeGreaterThan(0);
    expect(cookies.filter((cookie) => cookie !== undefined)).toEqual([]);
    expect(await page.context().cookies()).toHaveLength(1);
    await page.reload();
    await page.getByRole('link', { name: 'Browse', exact: true }).click();
    // Pictures are asked for by the browser itself.
    await page.locator('ul.tiles img').first().waitFor();
    await expect
      .poll(
        () =>
          page
            .locator('ul.tiles img')
            .first()
            .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
        {
          timeout: 30_000,
        },
      )
      .toBe(160);
    expect(new URL(page.url()).pathname).toMatch(/^\/[\w-]{16}\/$/);
  });
});
