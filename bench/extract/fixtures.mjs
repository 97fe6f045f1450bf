// @ts-check
/*
 * What becomes of the pictures that other projects test their decoders with: decoded under the contract keras and
 * compared with Pillow, folder by folder.
 *
 *   npm run build && node bench/extract/fixtures.mjs --python VENV/bin/python [--seconds 40] [--list] FOLDER...
 *
 * The interpreter needs Pillow, numpy and, for HEIC, pillow-heif (python3 -m venv VENV && VENV/bin/pip install pillow
 * numpy pillow-heif); it may also be named by PERMAFROST_PYTHON. Files are taken by the names that extraction takes.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { CONTRACTS } from '../../dist/extract/contract.js';
import { list } from '../../dist/extract/dataset/image-tree.js';
import { openImage } from '../../dist/extract/image/open-image.js';
import { machineFacts } from '../machine.mjs';
import { watchFamily } from '../process-memory.mjs';

/**
 * @typedef {{ path: string, square: string | null, reason?: string, ms: number, bytes: number }} Ours
 * @typedef {{ ok: boolean, kind: string | null, reason?: string, mean?: number, most?: number }} Pillows
 * @typedef {Ours & { pillow: Pillows }} Compared
 */

const { values: flags, positionals: folders } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: process.env.PERMAFROST_PYTHON ?? 'python3' },
    seconds: { type: 'string', default: '40' },
    list: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});

/** All files below that extraction would take for images. @param {string} folder @returns {Promise<string[]>} */
async function imagesIn(folder) {
  const { folders: inner, images } = await list(folder);
  const deeper = await Promise.all(inner.map((name) => imagesIn(join(folder, name))));
  return [...images.map((name) => join(folder, name)), ...deeper.flat()];
}

/** Decodes in this, a new process, and leaves squares there. @param {string} folder @param {string} scratch */
async function decodeAll(folder, scratch) {
  const most = watchFamily(process.pid);
  /** @type {Ours[]} */
  const found = [];
  for (const [i, path] of (await imagesIn(folder)).entries()) {
    const bytes = await readFile(path);
    const started = performance.now();
    /** @type {Ours} */
    const ours = { path, square: null, ms: 0, bytes: 0 };
    try {
      const limits = { timeoutMs: Number(flags.seconds) * 1000 };
      const pixels = await (await openImage(bytes, CONTRACTS.keras, limits)).pixels;
      ours.square = join(scratch, `${i}.rgb`);
      ours.ms = performance.now() - started;
      await writeFile(ours.square, pixels);
    } catch (error) {
      ours.ms = performance.now() - started;
      ours.reason = `${/** @type {any} */ (error).code}: ${/** @type {Error} */ (error).message}`;
    }
    ours.bytes = most();
    found.push(ours);
  }
  await writeFile(join(scratch, 'found.json'), JSON.stringify(found));
}

/** @param {string} folder @param {string} scratch @returns {Promise<Ours[]>} */
async function ourSide(folder, scratch) {
  const args = [import.meta.filename, '--child', scratch, '--seconds', flags.seconds, folder];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  const [code, by] = await once(child, 'exit');
  if (code !== 0) throw new Error(`Decoding ${folder} ended with ${by ?? code}: a crash.`);
  return JSON.parse(await readFile(join(scratch, 'found.json'), 'utf8'));
}

/** @param {readonly Ours[]} found @returns {Promise<Compared[]>} */
async function withPillow(found) {
  const script = join(import.meta.dirname, 'fixtures_pillow.py');
  const python = spawn(flags.python, [script, flags.seconds], { stdio: ['pipe', 'pipe', 'inherit'] });
  python.on('error', (error) => {
    throw new Error(`${flags.python} does not start (${error.message}). Name one that has Pillow by --python.`);
  });
  python.stdin.on('error', () => undefined); // it ended: told below
  for (const { path, square } of found) python.stdin.write(`${JSON.stringify({ path, square })}\n`);
  python.stdin.end();
  /** @type {Pillows[]} */
  const answers = [];
  for await (const line of createInterface({ input: python.stdout })) answers.push(JSON.parse(line));
  if (answers.length !== found.length)
    throw new Error(
      `${flags.python} answered for ${answers.length} of ${found.length} files. Does it have Pillow and numpy?`,
    );
  return found.map((ours, i) => ({ ...ours, pillow: /** @type {Pillows} */ (answers[i]) }));
}

/** @param {string} folder @param {readonly Compared[]} files */
function report(folder, files) {
  const both = files.filter(({ square, pillow }) => square !== null && pillow.ok);
  const differ = both.filter(({ pillow }) => pillow.most !== 0);
  const onlyWe = files.filter(({ square, pillow }) => square === null && pillow.ok);
  const onlyPillow = files.filter(({ square, pillow }) => square !== null && !pillow.ok);
  const neither = files.filter(({ square, pillow }) => square === null && !pillow.ok);
  const slowest = Math.max(0, ...files.map(({ ms }) => ms)).toFixed(0);
  const memory = (Math.max(0, ...files.map(({ bytes }) => bytes)) / 1e6).toFixed(0);
  const cells = [files.length, both.length - differ.length, differ.length, onlyWe.length, onlyPillow.length];
  console.log(`| ${[basename(folder), ...cells, neither.length, slowest, memory].join(' | ')} |`);
  /** @type {Map<string, Compared[]>} */
  const kinds = new Map();
  for (const file of differ) kinds.set(file.pillow.kind ?? '', [...(kinds.get(file.pillow.kind ?? '') ?? []), file]);
  const lines = [...kinds].map(([kind, of]) => {
    const means = of.map(({ pillow }) => pillow.mean ?? 0).sort((a, b) => a - b);
    return `  differ: ${kind}, ${of.length} files, mean difference ${means[0]?.toFixed(2)} to ${means.at(-1)?.toFixed(2)}`;
  });
  if (flags.list) {
    const name = (/** @type {Compared} */ file) => relative(folder, file.path);
    for (const file of differ)
      lines.push(`    differs ${name(file)}: mean ${file.pillow.mean?.toFixed(2)}, most ${file.pillow.most}`);
    for (const file of onlyWe)
      lines.push(`    only permafrost refuses ${name(file)} (${file.pillow.kind}): ${file.reason}`);
    for (const file of onlyPillow) lines.push(`    only Pillow refuses ${name(file)}: ${file.pillow.reason}`);
    for (const file of neither) lines.push(`    both refuse ${name(file)}: ${file.reason} / ${file.pillow.reason}`);
  }
  return lines;
}

if (flags.child !== undefined) {
  await decodeAll(folders[0] ?? '.', flags.child);
} else if (folders.length === 0) {
  console.error('Name at least one folder: node bench/extract/fixtures.mjs [--python PATH] [--list] FOLDER...');
  process.exitCode = 2;
} else {
  console.log(`${JSON.stringify(machineFacts())}\n`);
  console.log(
    '| folder | files | same bytes | differ | only permafrost refuses | only Pillow refuses | both refuse | slowest, ms | most memory, MB |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|');
  const details = [];
  for (const folder of folders) {
    const scratch = await mkdtemp(join(tmpdir(), 'permafrost-fixtures-'));
    try {
      details.push(basename(folder), ...report(folder, await withPillow(await ourSide(folder, scratch))));
    } finally {
      await rm(scratch, { recursive: true });
    }
  }
  console.log(`\n${details.join('\n')}`);
}
