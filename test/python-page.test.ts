import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportTable } from '../src/workflows/export/table/export-table.ts';
import { train } from '../src/workflows/train/train.ts';
import { temporaryFolders } from './support/folders.ts';
import { storedRow } from './support/stored-rows.ts';
import { fillStore } from './support/stores.ts';

const python = process.env.PERMAFROST_PYTHON ?? 'python3';
const page = readFileSync('docs/python.md', 'utf8');

/** The blocks of Python of the page, each with the packages that it needs. */
const blocks = [...page.matchAll(/^#+ (.+)$|```python\n([^]*?)```/gm)].reduce<
  { title: string; code: string; packages: string }[]
>((found, [, title, code]) => {
  if (title !== undefined) found.push({ title, code: '', packages: '' });
  else {
    const packages = [...code!.matchAll(/^(?:import|from) (.+?)(?: import .*)?$/gm)]
      .flatMap(([, names]) => names!.split(', ').map((name) => name.split(/[ .]/)[0]!))
      .join(', ');
    found.push({ ...found.pop()!, code: code!, packages });
  }
  return found;
}, []);
const runnable = blocks.filter(({ code }) => code !== '');

const folder = temporaryFolders();
let where: string;

beforeAll(async () => {
  where = folder();
  const rows = Array.from({ length: 60 }, (_, i) =>
    storedRow(`${String(i).padStart(2, '0')}.jpg`, {
      label: i % 2 ? 'ants' : 'bees',
      split: i % 4 === 0 ? 'val' : 'train',
    }),
  );
  const { store } = await fillStore(join(where, 'made'), rows);
  const { file } = await train(store, { head: 'logistic', reject: 0.1 });
  symlinkSync(store, join(where, 'store'));
  await exportTable(store, {
    parquet: join(where, 'features.parquet'),
    npz: join(where, 'features.npz'),
    head: file!,
  });
});

describe('the page about Python', () => {
  it('has a block for each tool that it names', () => {
    expect(runnable.map(({ packages }) => packages)).toEqual([
      'pandas',
      'polars',
      'duckdb',
      'numpy, sklearn',
      'numpy, torch',
      'polars',
    ]);
    for (const { code } of runnable) expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(5);
  });

  for (const { title, code, packages } of runnable) {
    const lacking = spawnSync(python, ['-c', `import ${packages}`]).status !== 0;
    const name = `shows lines that run: ${title}`;
    it.skipIf(lacking)(lacking ? `${name} [skipped: "${python}" cannot import ${packages}]` : name, () => {
      const { status, stdout, stderr } = spawnSync(python, ['-c', code], { cwd: where, encoding: 'utf8' });
      expect(stderr).not.toContain('Traceback');
      expect(status).toBe(0);
      expect(stdout.length).toBeGreaterThan(2);
    });
  }
});
