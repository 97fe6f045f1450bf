import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();
const CLOCK = pathToFileURL(fileURLToPath(new URL('../support/fast-clock.mjs', import.meta.url))).href;
const IMAGES = 12;
/** The files of kept rows that are there when the signal comes, of one image each. */
const KEPT = 3;

let dataset: string;
/** All images lie in one shard; an image an inference, so that each is computed alike. */
const extract = (store: string, options?: Parameters<typeof permafrost>[1]) =>
  permafrost(
    [
      ...['extract', dataset, '--store', store, '--engine', 'onnxruntime', '--cut', 'block1_pool:avg,block2_pool:max'],
      ...['--batch', '1', '--json', '--quiet'],
    ],
    options,
  );

/** But for what is remembered of the images' times, how long ago each was written, and the sketches of a killed run. */
function contentOf(store: string): Record<string, string> {
  const { 'file-times.safetensors': times, 'sketches.safetensors': sketches, ...content } = filesOf(store);
  expect([typeof times, typeof sketches]).toEqual(['string', 'string']);
  return content;
}

let whole: Record<string, string>;
beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Long'), IMAGES / 2 - 2, 2);
  const store = join(folder(), 'store');
  expect((await extract(store)).code).toBe(0);
  whole = contentOf(store);
});

describe('an extraction that is ended in the middle of a shard', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP SIGHUP', 'SIGKILL'])(
    'by %s keeps what was extracted, and gives the store of one that was not when it goes on',
    async (signal) => {
      const store = join(folder(), 'store');
      const env = { RAISE_AT_KEPT: `${KEPT} ${signal}` };
      const { code, stderr } = await extract(store, { node: ['--import', CLOCK], env });
      expect(code).toBe(signal === 'SIGKILL' ? null : 130);
      if (signal !== 'SIGKILL') expect(stderr).toMatch(/which are kept\. Run the same command again/);
      expect(readdirSync(store).filter((name) => name.endsWith('-rows.arrow'))).toEqual([]);
      const { extracted, reused } = document<ExtractResult>(await extract(store));
      expect(extracted + reused).toBe(IMAGES);
      // A kill left one of two sets a row behind the other.
      expect(reused).toBeGreaterThanOrEqual((KEPT - 1) / 2);
      expect(extracted).toBeGreaterThan(0);
      expect(contentOf(store)).toEqual(whole);
    },
  );
});
