import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ExtractResult } from '../../src/results/extract-result.ts';
import { isUnsealed } from '../../src/store/format/unsealed-file.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { filesOf } from '../support/stores.ts';

const folder = temporaryFolders();
/** In a process that is begun with it a second lasts a millisecond, so that rows are kept after each batch. */
const FAST_CLOCK = ['--import', pathToFileURL(fileURLToPath(new URL('../support/fast-clock.mjs', import.meta.url))).href];

/** Images of one shard, an image an inference, so that each is computed alike. */
async function begun() {
  const dataset = await stripedDataset(join(folder(), 'Long'), 15, 5);
  const args = (store: string): string[] => [
    ...['extract', dataset, '--store', store, '--engine', 'onnxruntime', '--cut', 'block3_pool:avg', '--batch', '1'],
    ...['--json', '--quiet'],
  ];
  return { args, store: join(folder(), 'store') };
}

const unsealedIn = (store: string): string[] => (existsSync(store) ? readdirSync(store).filter(isUnsealed) : []);

/** Ends an extraction by a signal as soon as it has kept some rows of its one shard. */
function ended(args: readonly string[], store: string, signal: NodeJS.Signals) {
  return permafrost(args, {
    node: FAST_CLOCK,
    during: (child) => {
      void (async () => {
        while (unsealedIn(store).length === 0 && child.exitCode === null) await sleep(5);
        child.kill(signal);
        if (signal === 'SIGHUP') child.kill(signal); // by the system and by the shell
      })();
    },
  });
}

/** But for what is remembered of the images' times: how long ago each was written when it was read. */
function contentOf(store: string): Record<string, string> {
  const { 'file-times.safetensors': times, 'sketches.safetensors': sketches, ...content } = filesOf(store);
  expect([typeof times, typeof sketches]).toEqual(['string', 'string']);
  return content;
}

describe('an extraction that is ended in the middle of a shard', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'by %s keeps what was extracted, and gives the store of one that was not when it goes on',
    async (signal) => {
      const { args, store } = await begun();
      const stopped = await ended(args(store), store, signal);
      expect(stopped.code).toBe(signal === 'SIGKILL' ? null : 130);
      if (signal !== 'SIGKILL') expect(stopped.stderr).toMatch(/which are kept\. Run the same command again/);
      expect(readdirSync(store).filter((name) => name.endsWith('-rows.arrow'))).toEqual([]);
      const { extracted, reused } = document<ExtractResult>(await permafrost(args(store)));
      expect(reused).toBeGreaterThan(0);
      expect(extracted).toBeGreaterThan(0);
      expect(extracted + reused).toBe(40);
      const whole = join(folder(), 'store');
      expect((await permafrost(args(whole))).code).toBe(0);
      expect(contentOf(store)).toEqual(contentOf(whole));
    },
  );
});
