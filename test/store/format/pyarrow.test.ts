import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { extract } from '../../../src/index.ts';
import { openStore } from '../../../src/store/open.ts';
import { matricesOf } from '../../support/stores.ts';
import { stripedDataset } from '../../support/small-dataset.ts';

const python = process.env.PERMAFROST_PYTHON ?? 'python3';
const found = spawnSync(python, ['-c', 'import pyarrow, numpy']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'permafrost-pyarrow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The expression in the middle is the one line that docs/store-format.md gives.
const READ = `
import sys, json, pyarrow as pa
table = pa.ipc.open_file(sys.argv[1]).read_all()
print(json.dumps({"columns": table.column_names, "path": table["path_when_extracted"].to_pylist(), "features": [[float(x) for x in row] for row in table["features"].to_numpy()]}))`;

describe.skipIf(!found)(found ? 'pyarrow' : `pyarrow [skipped: "${python}" cannot import pyarrow and numpy]`, () => {
  it('reads float16 maps and float32 pooled features with the values that permafrost reads', async () => {
    const dataset = await stripedDataset(join(folder, 'data'), 2, 1);
    const { store } = await extract(dataset, { store: join(folder, 'store') });
    const opened = await openStore(store);
    const { manifest } = opened;
    for (const pooling of ['flatten', 'avg', 'max'] as const) {
      const file = join(store, manifest.sets[0]!.shards[0]!.files[pooling]!.name);
      const text = execFileSync(python, ['-c', READ, file], { encoding: 'utf8', maxBuffer: 2 ** 26 });
      const read = JSON.parse(text) as { columns: string[]; path: string[]; features: number[][] };
      expect(read.columns).toEqual('id sha256 path_when_extracted width height orientation features'.split(' '));
      const loaded = await matricesOf(opened, pooling, ['train', 'val']);
      const own = [...loaded.values()].flatMap(({ X, samples }) =>
        samples.map(({ path }, i) => [path, [...X.data.subarray(i * X.cols, (i + 1) * X.cols)]] as const),
      );
      expect(own).toHaveLength(6);
      // Both read the same bytes: every number is equal.
      expect(Object.fromEntries(own)).toEqual(
        Object.fromEntries(read.path.map((path, i) => [path, read.features[i]!])),
      );
    }
  });
});
