import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readParquet } from '../../../src/core/table/read-parquet.ts';
import { openStore } from '../../../src/store/open.ts';
import { exportTable } from '../../../src/workflows/export/table/export-table.ts';
import { train } from '../../../src/workflows/train/train.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { joinedStore } from '../../support/joined-store.ts';

const folder = temporaryFolders();
const python = process.env.PERMAFROST_PYTHON ?? 'python3';
const hasNumpy = spawnSync(python, ['-c', 'import numpy']).status === 0;
let store: string;
beforeAll(async () => {
  ({ store } = await joinedStore(join(folder(), 'store')));
});

/** Columns of a Parquet file, all row groups together. */
async function columnsOf(file: string, names: readonly string[]): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = Object.fromEntries(names.map((name) => [name, []]));
  for await (const { columns } of readParquet(file, names))
    for (const name of names) found[name]!.push(...columns.get(name)!);
  return found;
}

describe('a store as a table', () => {
  it('has each image with the labels that count now and its features, in the order of the list', async () => {
    const file = join(folder(), 'features.parquet');
    const notes: string[] = [];
    const listener = { note: (text: string) => notes.push(text) };
    const labels = join(folder(), 'labels.csv');
    writeFileSync(labels, 'path,label\n02.jpg,ant\n');
    const result = await exportTable(
      store,
      { parquet: file, labels, cut: 'block5_pool', pooling: 'avg+max' },
      { listener },
    );
    expect(result).toMatchObject({ images: 40, width: 11, relabelled: 1, answers: null });
    expect(notes.at(-1)).toContain('No answers of a head are joined');
    const opened = await openStore(store);
    const samples = [...(await opened.samples())];
    const { path, label, split, sha256, features } = await columnsOf(file, [
      'path',
      'label',
      'split',
      'sha256',
      'features',
    ]);
    expect(path).toEqual(samples.map((sample) => sample.path));
    expect(label).toEqual(samples.map((sample) => (sample.path === '02.jpg' ? 'ant' : sample.label)));
    expect(split).toEqual(samples.map((sample) => sample.split));
    expect(sha256).toEqual(samples.map((sample) => sample.sha256));
    const { matrix: X } = await opened.rows({ parts: 'avg+max', memory: 'matrix' });
    expect((features as number[][]).flat()).toEqual([...X.data]);
  });

  it('has a column for each number where it is asked for, and in CSV always, with the same numbers', async () => {
    const [parquet, csv] = [join(folder(), 'columns.parquet'), join(folder(), 'columns.csv')];
    await exportTable(store, { parquet, csv, columns: true });
    const names = Array.from({ length: 6 }, (_, i) => `features_${i}`);
    const columns = await columnsOf(parquet, names);
    const { matrix: X } = await (await openStore(store)).rows({ parts: 'avg', memory: 'matrix' });
    for (const [c, name] of names.entries())
      expect(columns[name]).toEqual(Array.from({ length: X.rows }, (_, i) => X.data[i * 6 + c]));
    const [head, ...lines] = readFileSync(csv, 'utf8').trimEnd().split('\n');
    expect(head).toBe(['path', 'label', 'split', 'sha256', ...names].join(','));
    expect(
      lines.flatMap((line) =>
        line
          .split(',')
          .slice(4)
          .map((text) => Math.fround(Number(text))),
      ),
    ).toEqual([...X.data]);
  });

  it('is the same bytes each time, in a file that is whole or not there', async () => {
    const files = ['a', 'b'].map((name) => join(folder(), `${name}.npz`));
    for (const npz of files) await exportTable(store, { npz });
    expect(readFileSync(files[0]!).equals(readFileSync(files[1]!))).toBe(true);
    const { message } = await rejection(exportTable(store, { csv: '/nowhere/x.csv' }), 'STORE_WRITE');
    expect(message).toContain('/nowhere does not exist');
    const { message: none } = await rejection(exportTable(store, {}), 'OPTION_INVALID');
    expect(none).toContain('--parquet FILE, --csv FILE or --npz FILE');
  });

  it.skipIf(!hasNumpy)(
    hasNumpy
      ? 'is read by NumPy without pickle, answers of the best head joined'
      : `is read by NumPy [skipped: "${python}" cannot import numpy]`,
    async () => {
      const npz = join(folder(), 'features.npz');
      const { answers, file } = await train(store, { head: 'logistic' });
      const result = await exportTable(store, { npz, head: file! });
      expect(result.answers).toBe(answers!.parquet);
      expect(statSync(npz).size).toBe(result.files[0]!.bytes);
      const program = `
import json, sys, numpy as np
d = np.load(sys.argv[1], allow_pickle=False)
print(json.dumps({k: [str(d[k].dtype), list(d[k].shape)] for k in d.files}))
print(json.dumps({k: d[k].tolist() for k in ("X", "y", "paths", "split", "classes", "answer", "out_of_fold")}))`;
      const { stdout, stderr } = spawnSync(python, ['-c', program, npz], { encoding: 'utf8' });
      expect(stderr).toBe('');
      const [kinds, values] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown[]>);
      expect(kinds).toMatchObject({
        X: ['float32', [40, 6]],
        y: ['int64', [40]],
        P: ['float32', [40, 2]],
        unknown: ['bool', [40]],
        answer_classes: ['<U3', [2]],
      });
      const opened = await openStore(store);
      const samples = [...(await opened.samples())];
      const { matrix: X } = await opened.rows({ parts: 'avg', memory: 'matrix' });
      expect((values!.X as number[][]).flat()).toEqual([...X.data]);
      expect(values!.paths).toEqual(samples.map(({ path }) => path));
      expect((values!.y as number[]).map((c) => values!.classes![c])).toEqual(samples.map(({ label }) => label));
      const stored = await columnsOf(answers!.parquet, ['answer', 'out_of_fold']);
      const named = (values!.answer as number[]).map((c) => (c < 0 ? null : ['ant', 'bee'][c]));
      expect(named).toEqual(stored.answer);
      expect(values!.out_of_fold).toEqual(stored.out_of_fold);
    },
  );
});
