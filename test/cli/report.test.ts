import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ReportResult } from '../../src/results/report-data.ts';
import { repeatCommand } from '../../src/write-report.ts';
import { document, permafrost, type Finished } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();
let root: string;
let dataset: string;
let store: string;
let first: Finished;
const page = (name = 'report.html'): string => readFileSync(join(store, name), 'utf8');
const report = (...flags: string[]): Promise<Finished> => permafrost(['report', store, '--json', '--quiet', ...flags]);

beforeAll(async () => {
  root = folder();
  dataset = await stripedDataset(join(root, 'Stripes'), 5, 3);
  store = join(root, 'Stripes.permafrost');
  first = await permafrost(['run', dataset, '--store', store, '--seed', '7']);
});

describe('run', () => {
  it('writes the report into the store and tells where', () => {
    expect(first.code).toBe(0);
    expect(first.stderr).toContain(`Report: ${join(store, 'report.html')}`);
    expect(page()).toContain('16 images, 2 classes.');
  });

  it('writes none with --no-report', async () => {
    const other = join(root, 'none.permafrost');
    const finished = await permafrost(['run', dataset, '--store', other, '--no-report']);
    expect(finished.code).toBe(0);
    expect(finished.stderr).not.toContain('Report:');
    expect(existsSync(join(other, 'report.html'))).toBe(false);
    // A folder where the page should go: the run's answer stands, and it is told why there is no page.
    mkdirSync(join(other, 'report.html'));
    const again = await permafrost(['run', dataset, '--store', other, '--json']);
    expect(again.code).toBe(0);
    expect(document(again)).toMatchObject({ extracted: 0, reused: 16 });
    expect(again.stderr).toMatch(/no report was written: .*report\.html.*\[STORE_WRITE\]/);
    rmSync(other, { recursive: true });
  });
});

describe('report', () => {
  it('writes one page with heads, confusion, pictures, a map and the command that repeats the run', async () => {
    const out = join(root, 'page.html');
    const finished = await report('--out', out);
    expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code: 0, stderr: '' });
    const html = readFileSync(out, 'utf8');
    expect(document<ReportResult>(finished)).toMatchObject({
      file: out,
      bytes: Buffer.byteLength(html),
      images: 16,
      thumbnails: 16,
      overBudget: 0,
      unavailable: 0,
      mapped: 16,
    });
    expect(html.match(/data-truth="\d"/g)).toHaveLength(2);
    expect(html).toContain(`npx permafrost run ${dataset} --seed 7 --store ${store}`);
    expect(html).toMatch(/can(not)? be told from the best/);
    expect(html.match(/data-at="\d+"/g)).toHaveLength(16);
  });

  it('gives equal bytes for an equal store, and changes nothing in it', async () => {
    const before = page();
    await report();
    const once = page();
    await report();
    expect(page()).toBe(once);
    expect(once).toBe(before);
    expect((await permafrost(['verify', store])).code).toBe(0);
  });

  it('keeps to the budget of pictures and to the sample on the map, and says so', async () => {
    const result = document<ReportResult>(await report('--max-thumbnails', '4', '--map-images', '10'));
    expect(result).toMatchObject({ thumbnails: 4, overBudget: 12, mapped: 10 });
    expect(page()).toMatch(/6 others are left out: a sample drawn by the seed 1 is shown/);
    expect(page()).toMatch(/12\s+are left out to keep it small/);
  });

  it('shows no picture of a file that is gone or another one now, and says why', async () => {
    const at = (name: string): string => join(dataset, 'Val', 'down', name);
    renameSync(at('0.png'), join(root, '0.png'));
    renameSync(at('2.png'), join(root, '2.png'));
    copyFileSync(at('1.png'), at('2.png'));
    const result = document<ReportResult>(await report());
    expect(result).toMatchObject({ thumbnails: 14, unavailable: 2 });
    expect(page()).toMatch(/could not be shown/);
    for (const name of ['0.png', '2.png']) renameSync(join(root, name), at(name));
  });

  it('works where all images are gone', async () => {
    renameSync(dataset, join(root, 'Moved'));
    expect(document<ReportResult>(await report())).toMatchObject({ thumbnails: 0, unavailable: 16 });
    expect(page()).toContain('no picture');
    renameSync(join(root, 'Moved'), dataset);
  });

  it('finds the best head in a store that was moved, and says where it is gone', async () => {
    const moved = join(root, 'moved.permafrost');
    renameSync(store, moved);
    const found = await permafrost(['report', moved, '--json', '--quiet']);
    expect(found.code).toBe(0);
    expect(readFileSync(join(moved, 'report.html'), 'utf8')).toMatch(/data-truth="0"/);
    renameSync(moved, store);
    renameSync(join(store, 'heads'), join(root, 'heads'));
    expect((await report()).code).toBe(0);
    expect(page()).toMatch(/best head&#39;s file .* is gone/);
    renameSync(join(root, 'heads'), join(store, 'heads'));
  });

  it('says so where other images are validated now than those of the run', async () => {
    const smaller = await stripedDataset(join(root, 'Smaller'), 5, 2);
    expect((await permafrost(['extract', smaller, '--store', store, '--quiet'])).code).toBe(0);
    expect((await report()).code).toBe(0);
    expect(page()).toMatch(
      /The run&#39;s table tells of 6 validated images and an accuracy of 1\.0000; the store now holds 4/,
    );
    expect((await permafrost(['extract', dataset, '--store', store, '--quiet'])).code).toBe(0);
    await report();
    expect(page()).not.toContain('The run&#39;s table tells of');
  });

  it('judges by no head of other settings than the features it would judge', async () => {
    const other = ['--cut', 'block1_pool', '--store', store, '--quiet'];
    expect((await permafrost(['extract', dataset, ...other])).code).toBe(0);
    expect((await report()).code).toBe(0);
    expect(page().replace(/\s+/g, ' ')).toContain(
      'trained on features of other settings than the store&#39;s current ones (cut: &quot;block1_pool&quot;, not &quot;block5_pool&quot;)',
    );
  });

  it('refuses a damaged results.json, and a folder that is no store', async () => {
    const copy = join(root, 'copy');
    mkdirSync(copy);
    expect((await permafrost(['report', copy])).stderr).toContain('[STORE_NOT_FOUND]');
    writeFileSync(join(store, 'results.json'), '{"heads": 1}');
    const damaged = await report();
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(/results\.json is damaged .*\[STORE_CORRUPT\]/);
    rmSync(join(store, 'results.json'));
    expect((await report()).code).toBe(0);
    expect(page()).toContain('No heads were compared on this store yet');
  });
});

describe('the command that repeats a run', () => {
  it('names what was not the default, and quotes what a shell would take apart', () => {
    const run = {
      dataset: "/my pictures/it's",
      store: '/a/b',
      options: { cut: 'block4_pool', allHeads: true },
    };
    expect(repeatCommand(run)).toBe(
      "npx permafrost run '/my pictures/it'\\''s' --cut block4_pool --all-heads --store /a/b",
    );
    expect(repeatCommand({ dataset: '/a', store: '/b' })).toBeNull();
  });
});
