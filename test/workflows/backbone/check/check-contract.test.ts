import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type * as BackboneModule from '../../../../src/workflows/backbone/backbone.ts';
import { BAND_CONTRACT, bandDataset, bandNetwork } from '../../../support/band-network.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { modelProto } from '../../../support/onnx-files.ts';
import { built } from '../../../support/built.ts';

const { backbone } = await built<typeof BackboneModule>('workflows/backbone/backbone.js');

const folder = temporaryFolders();
let [network, tall, squares] = ['', '', ''];

beforeAll(async () => {
  const root = folder();
  network = join(root, 'band.onnx');
  writeFileSync(network, modelProto(bandNetwork()));
  tall = await bandDataset(join(root, 'tall'), 40);
  squares = await bandDataset(join(root, 'squares'), 40, 16);
});

/** The check of a contract that differs from the right one. */
async function checked(change: object, dataset = tall) {
  const contract = join(folder(), 'contract.json');
  writeFileSync(contract, JSON.stringify({ ...BAND_CONTRACT, ...change }));
  const { check } = await backbone(network, { contract, check: dataset, images: 60 });
  return check!;
}

describe('the check of a contract', () => {
  it('beats the right one by nothing', async () => {
    const check = await checked({});
    expect(check.verdict).not.toBe('beaten');
    expect(check).toMatchObject({ images: 60, classes: 2, part: { cut: 'features', pooling: 'avg' } });
    expect(check.stated.figures.accuracy).toBeGreaterThan(0.95);
    expect(check.others.filter(({ told }) => told === 'better')).toEqual([]);
    expect(check.others.find(({ what }) => what === 'BGR instead of RGB')!.told).toBe('worse');
    expect(check.others.find(({ what }) => what === 'cropped instead of squashed')!.told).toBe('worse');
  });

  it.each([
    [
      'rescaling that is missing',
      { mean: BAND_CONTRACT.mean.map((m) => m / 255), scale: 2.55 },
      'pixels divided by 255 once more',
    ],
    [
      'rescaling done twice',
      { mean: BAND_CONTRACT.mean.map((m) => m * 255), scale: 0.01 / 255 },
      'pixels divided by 255 once less',
    ],
    ['BGR for RGB', { channelOrder: 'BGR' }, 'RGB instead of BGR'],
    ['a crop for a squash, of tall pictures', { geometry: 'cover-crop' }, 'squashed instead of cropped'],
  ])('names %s', async (_what, change, named) => {
    const check = await checked(change);
    expect(check.verdict).toBe('beaten');
    const better = check.others.filter(({ told }) => told === 'better');
    expect(better.map(({ what }) => what)).toContain(named);
    expect(check.sentence).toMatch(/^The contract of band looks wrong(?: for these images)?: ".*" .*the stated one/);
  });

  it('does not try what no picture tells: cropping squares', async () => {
    const check = await checked({}, squares);
    expect(check.notTried).toEqual(['Cropped or squashed was not tried: all of these images are square.']);
    expect(check.others.map(({ what }) => what).join()).not.toMatch(/squashed|cropped/);
  });

  it('gives the same answer again', async () => {
    expect(await checked({})).toEqual(await checked({}));
  });

  it('is refused where nothing states a contract, and where a data set is too small', async () => {
    await expect(backbone(network, { check: tall })).rejects.toMatchObject({ code: 'CONTRACT_MISSING' });
    const few = await bandDataset(join(folder(), 'few'), 5);
    await expect(checked({}, few)).rejects.toMatchObject({ code: 'DATASET_CLASSES' });
  });
});
