// @ts-check
// A page in a browser, as far as a bench needs one: Chromium by playwright-core, Firefox by WebDriver BiDi, which it
// speaks itself (w3c.github.io/webdriver-bidi), so that no driver is to be installed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/**
 * @typedef {object} BrowserPage
 * @property {string} version
 * @property {(address: string) => Promise<void>} goto resolves when it is loaded
 * @property {() => Promise<void>} reload
 * @property {<T>(script: string) => Promise<T>} evaluate gives what the script gives, or its promise, as JSON
 * @property {() => Promise<void>} close the browser
 */

/** @param {string} name */
const onPath = (name) => execFileSync('which', [name], { encoding: 'utf8' }).trim();

/** @param {string} program @returns {Promise<BrowserPage>} */
async function chromiumPage(program) {
  // Chromium's own sandbox cannot be set up by root, in a container; the pages are our own.
  const browser = await chromium.launch({ executablePath: onPath(program), args: ['--no-sandbox'] });
  const page = await (await browser.newContext()).newPage();
  return {
    version: `Chromium ${browser.version()}`,
    goto: async (address) => void (await page.goto(address)),
    reload: async () => void (await page.reload()),
    evaluate: (script) => page.evaluate(script),
    close: () => browser.close(),
  };
}

/**
 * Sends commands to a browser and gives their results.
 * @param {WebSocket} socket
 */
function commands(socket) {
  let last = 0;
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  const waiting = new Map();
  socket.addEventListener('message', ({ data }) => {
    const { id, type, result, error, message } = JSON.parse(String(data));
    const asked = waiting.get(id);
    waiting.delete(id);
    if (type === 'success') asked?.resolve(result);
    else asked?.reject(new Error(`${error}: ${message}`));
  });
  /** @param {string} method @param {object} params @returns {Promise<any>} */
  return (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    });
}

/** @param {string} program @returns {Promise<BrowserPage>} */
async function firefoxPage(program) {
  if (typeof WebSocket === 'undefined')
    throw new Error('Firefox is spoken to by a WebSocket: give Node 20 the flag --experimental-websocket.');
  const profile = await mkdtemp(join(tmpdir(), 'permafrost-firefox-'));
  const args = ['--headless', '--remote-debugging-port=0', '--profile', profile, 'about:blank'];
  const child = spawn(onPath(program), args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let told = '';
  /** @type {string} */
  const address = await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      told += text;
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(told)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`Firefox ended with ${code}: ${told}`)));
  });
  const socket = new WebSocket(`${address}/session`);
  await once(socket, 'open');
  const send = commands(socket);
  const { capabilities } = await send('session.new', { capabilities: {} });
  const { contexts } = await send('browsingContext.getTree', {});
  const { context } = contexts[0];
  return {
    version: `Firefox ${capabilities.browserVersion}`,
    goto: (url) => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    reload: () => send('browsingContext.reload', { context, wait: 'complete' }),
    async evaluate(script) {
      const expression = `Promise.resolve(${script}).then((value) => JSON.stringify(value ?? null))`;
      const { type, result, exceptionDetails } = await send('script.evaluate', {
        expression,
        target: { context },
        awaitPromise: true,
      });
      if (type === 'exception') throw new Error(exceptionDetails.text);
      return JSON.parse(result.value);
    },
    async close() {
      const ended = once(child, 'exit');
      await send('browser.close', {});
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** Opens a browser that is on the PATH, without a window: `chromium`, `firefox-esr`, … @param {string} program */
export const openPage = (program) => (program.includes('firefox') ? firefoxPage(program) : chromiumPage(program));

/** Waits until a page shows what a pattern finds. @param {BrowserPage} page @param {RegExp} pattern */
export async function shows(page, pattern) {
  const isThere = `${String(pattern)}.test(document.body.innerText)`;
  while (!(await page.evaluate(isThere))) await new Promise((wait) => setTimeout(wait, 50));
}
