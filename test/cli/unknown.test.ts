import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PredictResult } from '../../src/results/answer-results.ts';
import type { HeadResult } from '../../src/results/head-result.ts';
import { readIconSet } from '../../src/extract/image/icon-set.ts';
import { renderSvg } from '../../src/extract/image/render-svg.ts';
import { document, permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'permafrost-unknown-'));
const store = join(folder, 'store');
const out = join(folder, 'head.safetensors');
const stranger = join(folder, 'cat.png');
const known = join(folder, 'Stripes', 'Val', 'across', '0.png');
const json = ['--json', '--quiet'];
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const root = await stripedDataset(join(folder, 'Stripes'), 12, 3);
  const twemoji = await readIconSet(new URL('../../data/emoji/twemoji.json', import.meta.url));
  writeFileSync(stranger, await renderSvg(twemoji.draw('cat-face', 224)));
  const extracted = await permafrost(['extract', root, '--store', store, ...json]);
  expect(extracted.code).toBe(0);
});

describe('a picture of no class', () => {
  it('is unknown to the head that train calibrated, with the reason and the best guess', async () => {
    const trained = document<HeadResult>(await permafrost(['train', store, '--C', '10', '--out', out, ...json]));
    expect(trained.reject).toMatchObject({
      rate: 0.05,
      problem: null,
      rule: {
        measure: 'mean-distance',
        calibratedOn: 24,
        measures: [],
        validated: { split: 'val', images: 6 },
      },
    });
    const answer = document<PredictResult>(
      await permafrost(['predict', out, stranger, known, '--neighbors', '0', ...json]),
    );
    const [odd, usual] = answer.predictions;
    expect(odd).toMatchObject({ path: stranger, unknown: true });
    expect(['across', 'down']).toContain(odd!.guess);
    expect(odd!.label).toBe(odd!.guess);
    expect(odd!.strangeness).toMatchObject({ measure: 'mean-distance', rate: 0.05, lessStrange: 1 });
    expect(odd!.probability).toBe(odd!.probabilities[odd!.guess]);
    expect(odd!.strangeness!.value).toBeGreaterThan(odd!.strangeness!.threshold);
    expect(odd!.strangeness!.threshold).toBe(trained.reject!.rule!.threshold);
    expect(usual).toMatchObject({ label: 'across', unknown: false, guess: 'across' });

    const { code, stdout } = await permafrost(['predict', out, stranger, '--neighbors', '0', '--quiet']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /cat\.png: (across|down) \(\d\.\d{4}\); unusual: farther off than every training image \(mean-distance [\d.]+, unknown above [\d.]+\)\n$/,
    );
  });

  it('gets a class from a head that was trained with --reject 0', async () => {
    const trained = await permafrost(['train', store, '--reject', '0', '--out', out, ...json]);
    expect(document<HeadResult>(trained).reject).toBeUndefined();
    const answer = document<PredictResult>(await permafrost(['predict', out, stranger, ...json]));
    expect(answer.predictions[0]).toMatchObject({ unknown: false, strangeness: null });
    expect(answer.predictions[0]!.label).toBe(answer.predictions[0]!.guess);
  });

  it('is told of in the text of train, and a rate that these few images cannot hold is no silence', async () => {
    const told = await permafrost(['train', store, '--out', out, '--quiet']);
    expect(told.stdout).toMatch(/Unknown: mean-distance above [\d.]+ \(the default: there was no class to leave out/);
    const few = await permafrost(['train', store, '--reject', '0.01', '--out', out, '--quiet']);
    expect(few.code).toBe(0);
    expect(few.stdout).toContain(
      'It never answers "unknown": 24 training images could be judged by a head that knew their class without having seen them; 99 are needed to promise 1 % false rejects.',
    );
  });

  it('is marked or not as the one who asks wants it', async () => {
    await permafrost(['train', store, '--C', '10', '--reject', '0.2', '--out', out, ...json]);
    const asked = async (...flags: string[]) =>
      document<PredictResult>(await permafrost(['predict', out, stranger, '--neighbors', '0', ...flags, ...json]))
        .predictions[0]!;
    const trained = await asked();
    expect(trained.strangeness!.rate).toBe(0.2);
    const stricter = await asked('--reject', '0.05');
    expect(stricter.strangeness!.rate).toBe(0.05);
    expect(stricter.strangeness!.threshold).toBeGreaterThan(trained.strangeness!.threshold);
    expect(await asked('--reject', 'off')).toMatchObject({ unknown: false, strangeness: null });
    const { code, stderr } = await permafrost(['predict', out, stranger, '--reject', '0.01', '--quiet']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/calibrated on 24 training images, and 1 % needs 99/);
  });

  it('needs a rate below one half', async () => {
    const { code, stderr } = await permafrost(['train', store, '--reject', '0.7']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/reject must be a number >= 0 <= 0\.5, got 0\.7/);
  });
});
