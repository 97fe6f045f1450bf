import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { withLocalFile } from '../../../src/extract/archives/byte-file.ts';
import type * as ParquetFileModule from '../../../src/extract/archives/parquet-file.ts';
import { built } from '../../support/built.ts';
import { temporaryFolders } from '../../support/folders.ts';

const { imagesInGroup, openParquet, rowFacts } = await built<typeof ParquetFileModule>(
  'extract/archives/parquet-file.js',
);
const python = process.env.PERMAFROST_PYTHON ?? 'python3';
const found = spawnSync(python, ['-c', 'import pyarrow.parquet']).status === 0;
const folder = temporaryFolders();

/** Files as `datasets` writes them (struct of bytes and path, names in the metadata), in all ways to pack pages. */
const WRITE = `
import sys, json, pyarrow as pa, pyarrow.parquet as pq
n = 11
image = pa.array([None if i == 7 else {"bytes": bytes([i]) * (100 + i), "path": f"folder/img_{i}.jpg" if i % 2 else None} for i in range(n)],
  type=pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
label = pa.array([None if i == 3 else i % 3 for i in range(n)], type=pa.int64())
name = pa.array([["ant", "bee"][i % 2] for i in range(n)])
table = pa.table({"image": image, "label": label, "name": name, "boxes": pa.array([[1.0] * i for i in range(n)])})
features = {"image": {"_type": "Image"}, "label": {"names": ["a", "b", "c"], "_type": "ClassLabel"}, "name": {"dtype": "string", "_type": "Value"}}
table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
for codec in ["NONE", "SNAPPY", "ZSTD", "GZIP", "BROTLI", "LZ4"]:
  for dictionary in [True, False]:
    for version in ["1.0", "2.0"]:
      pq.write_table(table, f"{sys.argv[1]}/{codec}-{dictionary}-{version}.parquet", compression=codec, use_dictionary=dictionary,
        data_page_version=version, row_group_size=4, write_page_index=dictionary)
`;

const cases = ['NONE', 'SNAPPY', 'ZSTD', 'GZIP', 'BROTLI', 'LZ4'].flatMap((codec) =>
  ['True', 'False'].flatMap((dictionary) => ['1.0', '2.0'].map((version) => `${codec}-${dictionary}-${version}`)),
);

describe.skipIf(!found)(
  found ? 'Parquet files of pyarrow' : `Parquet files of pyarrow [skipped: "${python}" cannot import pyarrow]`,
  () => {
    let root: string;
    beforeAll(() => {
      root = folder();
      execFileSync(python, ['-c', WRITE, root]);
    });

    it.each(cases)('are read row by row: %s', async (name) => {
      await withLocalFile(join(root, `${name}.parquet`), async (file) => {
        const parquet = await openParquet(file);
        expect(parquet).toMatchObject({
          rows: 11,
          columnNames: ['image', 'label', 'name', 'boxes'],
          columns: { image: 'image', isStruct: true, hasPath: true, label: 'label', classNames: ['a', 'b', 'c'] },
          groups: [
            { start: 0, end: 4 },
            { start: 4, end: 8 },
            { start: 8, end: 11 },
          ],
        });
        expect(await rowFacts(file, parquet)).toEqual(
          Array.from({ length: 11 }, (_, i) => ({
            label: i === 3 ? undefined : i % 3,
            split: undefined,
            name: i % 2 === 1 && i !== 7 ? `folder/img_${i}.jpg` : undefined,
          })),
        );
        const images = (await Promise.all(parquet.groups.map((group) => imagesInGroup(file, parquet, group)))).flat();
        for (const [i, bytes] of images.entries())
          expect(bytes && Buffer.from(bytes)).toEqual(i === 7 ? undefined : Buffer.alloc(100 + i, i));
        expect(images).toHaveLength(11);
      });
    });
  },
);
