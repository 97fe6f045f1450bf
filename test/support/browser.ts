import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type Page } from 'playwright-core';

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

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeResult {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
  readonly passes: readonly unknown[];
}

/** How each page is looked at: colour scheme, and width in pixels. */
export const LOOKS = [
  ['light', 1440],
  ['dark', 1440],
  ['light', 420],
  ['dark', 420],
] as const;

/** What axe finds on a page: how many rules it passes, and its serious and critical violations. */
export async function axeFindings(page: Page): Promise<{ passes: number; serious: string[] }> {
  // The page's own policy forbids scripts, so axe comes by the debugger and not by an element.
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate<AxeResult>('axe.run()');
  const told = violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]!.html}`);
  return { passes: passes.length, serious: told.filter((text) => /^(serious|critical)/.test(text)) };
}
