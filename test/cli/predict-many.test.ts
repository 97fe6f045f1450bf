import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import { document, permafrost } from '../support/command.ts';
import { pictures, tinyHead } from '../support/tiny-head.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'permafrost-many-'));
const camera = join(folder, 'camera');
const at = (name: string): string => join(folder, name);
let store: string;
let images: string[];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  ({ store } = await tinyHead(folder));
  images = await pictures(
    camera,
    Array.from({ length: 200 }, (_, i) => `${1000 + i}.png`),
  );
});

const rowsOf = (csv: string): Record<string, string>[] => parse(readFileSync(csv, 'utf8'), { columns: true });

/** Runs the program with a text on its standard input. */
async function withInput(
  args: readonly string[],
  text: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part: string) => (output[name] += part));
  child.stdin.end(text);
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

describe('predict of many images', () => {
  it('writes a row an image, says counts in place of answers, and asks about none twice', async () => {
    const csv = at('answers.csv');
    const first = await permafrost(['predict', store, join(camera, '10*.png'), '--csv', csv]);
    expect(first.stderr).toContain('10*.png: 100 images.');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stdout).toMatch(
      /^100 images: 100 answered\.\nclass +images\n[\s\S]*CSV: .*answers\.csv \(100 rows\)\n$/,
    );
    const all = await permafrost(['predict', store, camera, '--csv', csv, '--json']);
    expect(all.stderr).toContain('100 of 200 images have answers of this head in');
    expect(document<PredictResult>(all)).toMatchObject({
      predictions: [],
      counts: { images: 200, answered: 100, before: 100 },
      written: [{ kind: 'csv', rows: 200 }],
    });
    expect(new Set(rowsOf(csv).map(({ path }) => path))).toEqual(new Set(images));
  });

  it('goes on where it was killed', async () => {
    const csv = at('killed.csv');
    const child = spawn(process.execPath, [MAIN, 'predict', store, camera, '--csv', csv, '--quiet'], {
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const rows = (): number => (existsSync(csv) ? readFileSync(csv, 'utf8').split('\n').length : 0);
    while (child.exitCode === null && rows() < 10) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGKILL');
    await ended;
    const finished = await permafrost(['predict', store, camera, '--csv', csv, '--json', '--quiet']);
    expect(finished.code).toBe(0);
    const { counts } = document<PredictResult>(finished);
    expect(counts.before).toBeGreaterThanOrEqual(8);
    expect(counts.before + counts.answered).toBe(200);
    expect(rowsOf(csv).map(({ path }) => path)).toEqual(images);
  });

  it('takes names from standard input, and gives lines on standard output and nothing else there', async () => {
    const { code, stdout, stderr } = await withInput(
      ['predict', store, '-', '--jsonl', '-'],
      `${images[0]!}\r\n\n${images[1]!}\n${at('gone.png')}`,
    );
    expect(code).toBe(3);
    expect(stderr).toContain('Standard input: names of 3 images.');
    expect(stderr).toContain('3 images: 2 answered, 1 failed.');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; error?: object });
    expect(lines.map(({ path }) => path)).toEqual([images[0], images[1], at('gone.png')]);
    expect(lines[2]!.error).toMatchObject({ code: 'IMAGE_UNREADABLE' });
    const none = await withInput(['predict', store, '-', '--quiet'], `${images[0]!}\0`);
    expect(none).toMatchObject({ code: 0 });
    expect(none.stdout).toMatch(/1000\.png: [ab] \(/);
  });

  it('takes lists of paths, and shows the likeliest classes', async () => {
    writeFileSync(at('list.txt'), 'camera/1000.png\ncamera/1001.png\n');
    const { code, stdout } = await permafrost(['predict', store, at('list.txt'), '-k', '0', '--top', '2', '--quiet']);
    expect(code).toBe(0);
    expect(stdout.match(/^.*\.png: [ab] \(\d\.\d{4}\).*\n( {2}.*[ab]\n){2}/gm)).toHaveLength(2);
  });

  it('does not mix a document and rows on standard output', async () => {
    const { code, stderr } = await permafrost(['predict', store, camera, '--csv', '-', '--json']);
    expect(code).toBe(2);
    expect(stderr).toContain('answers cannot go to standard output here');
  });
});
