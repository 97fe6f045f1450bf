import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { FinetuneResult } from '../../src/results/finetune-result.ts';
import { document, permafrost } from '../support/command.ts';
import { emojiDataset } from '../support/emoji-dataset.ts';
import { temporaryFolders } from '../support/folders.ts';

const folder = temporaryFolders();
let store: string;
beforeAll(async () => {
  const dataset = await emojiDataset(join(folder(), 'emoji'), ['food', 'fruit'], 4);
  store = join(folder(), 'store');
  const engine = ['--engine', 'onnxruntime', '--precision', 'fp32'];
  // The map that the last convolution reads is missing: finetune extracts it.
  const made = await permafrost(['extract', dataset, '--store', store, '--cut', 'block5_pool:avg', ...engine]);
  expect(made.stderr).not.toMatch(/permafrost:/);
}, 240_000);

const FINETUNE = ['--from', 'block5_conv3', '--batch', '4', '--no-features'];
const states = (): string[] => (existsSync(join(store, 'finetune')) ? readdirSync(join(store, 'finetune')) : []);

it('ends on Ctrl-C with 130, says what it kept, and goes on from there', async () => {
  const args = ['finetune', store, ...FINETUNE, '--epochs', '500', '--rates', '1e-4'];
  let stopped = 0;
  const interrupted = await permafrost(args, {
    during: (child) => {
      void (async () => {
        while (!states().some((name) => name.endsWith('.safetensors')) && child.exitCode === null) await sleep(20);
        stopped = performance.now();
        child.kill('SIGINT');
      })();
    },
  });
  // A step of four images is a fraction of a second, on a busy machine too it is far from this.
  expect(performance.now() - stopped).toBeLessThan(20_000);
  expect(interrupted.code).toBe(130);
  expect(interrupted.stderr).toMatch(/The store lacks block5_conv2:flatten: extracted now, once for all\./);
  expect(interrupted.stderr).toMatch(
    /Interrupted\. (Kept the best network of the search|No network beat the frozen head).*run the same command again to go on\. \[INTERRUPTED\]/,
  );
  expect(states()).toHaveLength(1);
  expect(states()[0]).toMatch(/^[0-9a-f]{16}\.safetensors$/);

  const again = await permafrost(args, {
    during: (child) => {
      child.stderr!.on('data', (text: string) => {
        if (text.includes('Going on')) child.kill('SIGINT');
      });
    },
  });
  expect(again.stderr).toMatch(/Going on after \d+ epochs of an interrupted fine-tuning/);
  expect(again.stderr).not.toMatch(/extracted now/);
  expect(again.code).toBe(130);
}, 240_000);

it('prints what was tried, chosen and measured, and the same as JSON', async () => {
  const args = ['finetune', store, ...FINETUNE, '--epochs', '1', '--rates', '1e-4', '--recipe', 'report-2020'];
  const told = await permafrost(args);
  expect(told.code).toBe(0);
  expect(told.stdout).toMatch(
    /^block5_conv3 and all behind it, .* million numbers, trained on the stored activations of block5_conv2 by onnxruntime/,
  );
  expect(told.stdout).toMatch(/The recipe report-2020 chooses nothing: rate 1e-4, 1 epoch,/);
  expect(told.stdout).toMatch(
    /Fine-tuned network on 8 val images: accuracy [\d.]+ \([\d.]+ \.\. [\d.]+\), log loss [\d.]+\./,
  );
  const result = document<FinetuneResult>(await permafrost([...args, '--json']));
  expect(result).toMatchObject({
    recipe: 'report-2020',
    trained: 16,
    validated: 8,
    C: null,
    choice: { kept: 'tuned' },
  });
}, 240_000);
