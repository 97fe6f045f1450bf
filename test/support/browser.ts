import { execFileSync } from 'node:child_process';
import { chromium, type Browser } from 'playwright-core';

function find(): string | null {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    } catch {
      continue;
    }
  }
  return null;
}

/** Chromium as the system has it (Debian: `apt-get install chromium`); null where it has none. */
export const CHROMIUM = find();

/** The name of a suite that needs a browser, saying why it is skipped where it is. */
export const needsBrowser = (title: string): string =>
  CHROMIUM === null ? `${title} [skipped: no chromium on the PATH]` : title;

/** Starts it without a window; the caller closes it. */
export function startBrowser(...args: readonly string[]): Promise<Browser> {
  // Chromium's own sandbox cannot be set up by root, in a container; the pages are the tests' own.
  return chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox', ...args] });
}
