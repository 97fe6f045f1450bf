// @ts-check
// The store of the bundled data set that the studio's measurements use where none is named.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = (/** @type {string} */ path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The built program. */
export const MAIN = root('dist/cli/main.js');
/** The bundled data set, drawn. */
export const EMOJI = root('permafrost-demo/emoji');
export const EMOJI_STORE = `${EMOJI}.permafrost`;

/** Ends with a sentence where the program is not built. */
export function requireBuild() {
  if (existsSync(MAIN)) return;
  console.error(`${MAIN} is not there: run "npm run build" first.`);
  process.exit(2);
}

/**
 * Makes that store as `npm start` does where it is not there (about a minute); ends with a sentence where that fails.
 */
export function makeBundledStore() {
  requireBuild();
  if (existsSync(`${EMOJI_STORE}/results.json`)) return;
  console.error(`${EMOJI_STORE} is not there yet: it is made now, as "npm start" does.`);
  const { status } = spawnSync(process.execPath, [MAIN, 'demo'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return;
  console.error('The bundled data set could not be made (above is why). Name another store with --store and --images.');
  process.exit(1);
}
