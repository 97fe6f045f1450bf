import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import type { SweepResult } from '../../src/results/sweep-result.ts';
import { document, permafrost } from '../support/command.ts';
import { temporaryFolders } from '../support/folders.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = temporaryFolders();
let dataset: string;
let store: string;
const json = ['--json', '--quiet'];
const flags = ['--head', 'logistic,knn', '--C', '0.1,1', '--n-neighbors', '1,3', '--normalize', 'l2,standard'];

/** A grid of 25 that takes seconds, as a file. */
function slowGrid(): string {
  const slow = join(folder(), 'slow.json');
  const heads = [
    { head: 'centroid' },
    { head: 'mlp', seed: Array.from({ length: 24 }, (_, i) => i), tol: 0, maxEpochs: 30 },
  ];
  writeFileSync(slow, JSON.stringify({ pooling: 'avg', normalize: 'l2', pca: 0, heads }));
  return slow;
}

/** The processes that a process has started. */
const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

/** Results that the store's sweeps have kept. */
function keptLines(): number {
  const sweeps = join(store, 'sweeps');
  if (!existsSync(sweeps)) return 0;
  const ledgers = readdirSync(sweeps).filter((name) => name.endsWith('.jsonl'));
  const texts = ledgers.map((name) => readFileSync(join(sweeps, name), 'utf8'));
  return texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0);
}

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 8, 3);
  store = join(folder(), 'store');
  await permafrost(['extract', dataset, '--store', store, '--quiet']);
});

describe('permafrost sweep', () => {
  it('ends on Ctrl-C with 130, tells what it kept, and goes on from there', async () => {
    const slow = slowGrid();
    const stopped = await permafrost(['sweep', store, '--grid', slow], {
      during: (child) => {
        void (async () => {
          while (keptLines() < 2 && child.exitCode === null) await sleep(20);
          child.kill('SIGINT');
        })();
      },
    });
    expect({ code: stopped.code, stdout: stopped.stdout }).toEqual({ code: 130, stdout: '' });
    expect(stopped.stderr).toMatch(/Interrupted: \d+ of 25 configurations are kept in .*Run the same command again/);
    const kept = keptLines();
    expect(kept).toBeLessThan(25);
    const result = document<SweepResult>(await permafrost(['sweep', store, '--grid', slow, ...json]));
    expect(result).toMatchObject({ reused: kept, computed: 25 - kept });
  });

  // Linux tells which processes a process has started.
  describe.skipIf(process.platform !== 'linux')('whose process is killed', () => {
    it('says so, and goes on from what it kept', async () => {
      rmSync(join(store, 'sweeps'), { recursive: true, force: true });
      const killed = await permafrost(['sweep', store, '--grid', slowGrid()], {
        during: (child) => {
          void (async () => {
            while (keptLines() < 2 && child.exitCode === null) await sleep(20);
            for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGKILL');
          })();
        },
      });
      expect({ code: killed.code, stdout: killed.stdout }).toEqual({ code: 1, stdout: '' });
      expect(killed.stderr).toMatch(
        /ended with SIGKILL; the \d+ configurations that it found are kept.*\[ENGINE_FAILED\]/,
      );
      const kept = keptLines();
      expect(kept).toBeLessThan(25);
      const result = document<SweepResult>(await permafrost(['sweep', store, '--grid', slowGrid(), ...json]));
      expect(result).toMatchObject({ reused: kept, computed: 25 - kept });
    });

    it('leaves none behind when the command itself is', async () => {
      rmSync(join(store, 'sweeps'), { recursive: true, force: true });
      let started: number[] = [];
      await permafrost(['sweep', store, '--grid', slowGrid()], {
        during: (child) => {
          void (async () => {
            while (keptLines() < 2 && child.exitCode === null) await sleep(20);
            started = childrenOf(child.pid!);
            child.kill('SIGKILL');
          })();
        },
      });
      expect(started).toHaveLength(1);
      for (let tries = 0; tries < 200 && started.some(isAlive); tries++) await sleep(50);
      expect(started.filter(isAlive)).toEqual([]);
    });
  });

  it('tries every combination of its flags, shows a leaderboard and what cannot be told apart', async () => {
    const { code, stdout, stderr } = await permafrost([
      'sweep',
      store,
      ...flags,
      '--pca',
      '0,4',
      '--folds',
      '4',
      '--seed',
      '3',
      '--top',
      '3',
      '--memory',
      '1GB',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    // (2 C + 2 k) x 2 normalisations x 2 widths
    expect(stdout).toMatch(
      /^16 configurations cross-validated on 16 training images of 2 classes in 4 folds \(seed 3\): 16 computed/,
    );
    expect(stdout).toMatch(/^1 {2}(logistic|knn) +avg, (l2|standard)(, pca 4)? +[01]\.\d{4}/m);
    expect(stdout).toMatch(/^and 13 more \(--top 16, or all with --json\)$/m);
    expect(stdout).toMatch(/\d+ of the 15 others cannot be told from the best at 5 %/);
    expect(stdout).toMatch(
      /accuracy \d\.\d{4} .* on 6 val images\.\nVal has been looked at (once|\d+ times) by this store/,
    );
    expect(stdout).toMatch(/Not saved: --save/);
    const again = document<SweepResult>(
      await permafrost(['sweep', store, ...flags, '--pca', '0,4', '--folds', '4', '--seed', '3', ...json]),
    );
    expect(again).toMatchObject({ computed: 0, reused: 16 });
    expect(again.candidates).toHaveLength(16);
  });

  it('saves the best with its principal components, and predict answers with it', async () => {
    const args = [
      'sweep',
      store,
      '--head',
      'logistic',
      '--C',
      '10',
      '--pca',
      '4',
      '--normalize',
      'l2',
      '--save',
      ...json,
    ];
    const { best } = document<SweepResult>(await permafrost(args));
    expect(best).toMatchObject({ name: 'logistic', params: { C: 10, pca: 4 }, validated: 6 });
    const image = join(dataset, 'Train/across/0.png');
    const answer = document<PredictResult>(await permafrost(['predict', best.file!, image, ...json]));
    expect(answer.predictions[0]).toMatchObject({ label: 'across' });
  });

  it('refuses a wrong grid as a usage error, before it computes anything', async () => {
    const before = keptLines();
    const file = join(folder(), 'grid.json');
    writeFileSync(file, '{"heads": [{"head": "logistic", "c": [1]}]}');
    const wrong = await permafrost(['sweep', store, '--grid', file]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/grid\.json, heads\[0\]: .*no option "c" \(did you mean "C"\?\)/);
    expect((await permafrost(['sweep', store, '--grid', file, '--C', '1'])).stderr).toMatch(/not in both/);
    expect((await permafrost(['sweep', store, '--head', 'logistc'])).code).toBe(2);
    expect((await permafrost(['sweep', store, '--folds', '1'])).code).toBe(2);
    expect(keptLines()).toBe(before);
  });
});
