import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, readWhole } from '../../../src/core/files/read-file.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg.ts';
import { jsonOf } from '../../../src/extract/contracts/read-json.ts';
import { readListText } from '../../../src/extract/dataset/list-text.ts';
import { loadWeights } from '../../../src/extract/weights/load-weights.ts';
import { readHead } from '../../../src/store/read/heads/head-file.ts';
import { gridRequest } from '../../../src/workflows/sweep/grid-file.ts';
import { textWith } from '../../support/errors.ts';
import { temporaryFolders } from '../../support/folders.ts';

const folder = temporaryFolders();
const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';

describe('a file that a person names', () => {
  it('is read whole, also where it is empty', async () => {
    const path = join(folder(), 'a.txt');
    writeFileSync(path, 'grün');
    expect(await readText(path)).toBe('grün');
    writeFileSync(path, '');
    expect(await readWhole(path)).toHaveLength(0);
  });

  it('is refused above the bytes that are read, by its size alone', async () => {
    const path = join(folder(), 'large');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    await expect(readWhole(path)).rejects.toThrow('it has 1099511627776 bytes, above the 2147483647 that are read');
  });

  it.skipIf(!linux)('of the system is read as far as it says: some have no end', async () => {
    // It has hundreds of bytes and says that it has none, as /proc/kmsg does, which waits for more without end.
    expect(statSync('/proc/self/status').size).toBe(0);
    expect(await readWhole('/proc/self/status')).toHaveLength(0);
  });

  it.skipIf(!posix)('is not opened where it is a pipe or a device, whatever it was to be', async () => {
    const root = folder();
    const pipe = (name: string): string => {
      execFileSync('mkfifo', [join(root, name)]);
      return join(root, name);
    };
    mkdirSync(join(root, 'sub'));
    const none = { message: textWith(/no file/) };
    await expect(readWhole(join(root, 'sub'))).rejects.toMatchObject(none);
    await expect(readWhole('/dev/zero')).rejects.toMatchObject(none);
    const readings: readonly [string, (path: string) => Promise<unknown>, string][] = [
      ['list.csv', readListText, 'DATASET_NOT_FOUND'],
      ['w.safetensors', (file) => loadWeights({ backbone: vgg16, file }), 'WEIGHTS_NOT_FOUND'],
      ['w.json', (file) => loadWeights({ backbone: vgg16, file }), 'WEIGHTS_NOT_FOUND'],
      ['w.h5', (file) => loadWeights({ backbone: vgg16, file }), 'WEIGHTS_NOT_FOUND'],
      ['head.safetensors', readHead, 'HEAD_CORRUPT'],
      ['grid.json', (path) => gridRequest(path, undefined), 'OPTION_INVALID'],
      ['contract.json', jsonOf, 'CONTRACT_INVALID'],
    ];
    for (const [name, read, code] of readings)
      await expect(read(pipe(name)), name).rejects.toMatchObject({ code, message: textWith(/no file/) });
  });
});
