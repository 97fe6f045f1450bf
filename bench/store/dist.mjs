// @ts-check
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const DIST = new URL('../../dist/', import.meta.url);
if (!existsSync(fileURLToPath(new URL('cli/main.js', DIST))))
  throw new Error('dist/ is missing. Run "npm run build" first.');

/** A module of the built program, by its path there. @param {string} path @returns {Promise<any>} */
export const dist = (path) => import(new URL(path, DIST).href);
