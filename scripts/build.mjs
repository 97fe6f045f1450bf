// @ts-check
/*
 * Builds dist/: the sources, what each option means in their declarations, ONNX Runtime's binding, and last the
 * studio's page.
 * With --if-stale it does nothing where the page is newer than all of its sources: npm runs "prepare" not only in
 * "npm ci", but also at the first "npx permafrost" of a clone, which must not wait for what is built already.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleOnnxRuntime, bundleOnnxRuntimeWeb } from './bundle-onnxruntime.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const SOURCES = [
  'src',
  'scripts',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.export.config.ts',
  'vite.studio.config.ts',
];
const EXPORTED_PAGE = 'dist/workflows/export/web/page';
const LAST_BUILT = 'dist/studio/page/index.html';

/**
 * When a file, or anything in a folder, was changed last. A file that goes away changes its folder's time.
 * @param {string} path
 * @returns {number}
 */
function changed(path) {
  const stat = statSync(path);
  const inside = stat.isDirectory() ? readdirSync(path).map((name) => changed(join(path, name))) : [];
  return Math.max(stat.mtimeMs, ...inside);
}

/** Removes what was compiled from sources that are gone: it would be published, and read with the rest. */
function removeOrphans() {
  const sourceOf = (/** @type {string} */ path) => join('src', path.replace(/(\.d\.ts|\.js)$/, ''));
  for (const path of /** @type {string[]} */ (readdirSync('dist', { recursive: true }))) {
    if (
      [join('studio', 'page'), join('workflows', 'export', 'web', 'page'), 'onnxruntime', 'onnxruntime-web'].some(
        (made) => path.startsWith(made + sep),
      ) ||
      statSync(join('dist', path)).isDirectory()
    )
      continue;
    if (!['.ts', '.js'].some((extension) => existsSync(sourceOf(path) + extension))) rmSync(join('dist', path));
  }
}

const isFresh = existsSync(LAST_BUILT) && SOURCES.every((path) => changed(path) < changed(LAST_BUILT));
if (!process.argv.includes('--if-stale') || !isFresh) {
  /** @param {string[]} args */
  const node = (...args) => void execFileSync(process.execPath, args, { stdio: 'inherit' });
  node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
  removeOrphans();
  const { documentOptions } = await import('./document-options.mjs');
  await documentOptions('dist');
  chmodSync('dist/cli/main.js', 0o755);
  bundleOnnxRuntime('node_modules/onnxruntime-node', 'dist/onnxruntime');
  bundleOnnxRuntimeWeb('node_modules/onnxruntime-web', 'dist/onnxruntime-web');
  for (const page of ['export', 'studio'])
    node('node_modules/vite/bin/vite.js', 'build', '--config', `vite.${page}.config.ts`, '--logLevel', 'warn');
  // The report's colours, so that all pages look alike.
  const { TOKENS } = await import('../dist/report/html/tokens.js');
  writeFileSync(`${EXPORTED_PAGE}/tokens.css`, TOKENS);
}
