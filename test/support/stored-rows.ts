import { createHash } from 'node:crypto';
import { matrix } from '../../src/core/matrix.ts';
import { DEFAULT_POOLINGS, type FeatureBatch, type PoolingWidths } from '../../src/core/sample.ts';
import { CONTRACTS } from '../../src/extract/contract.ts';
import { random } from '../../src/core/random.ts';
import type { FeatureSettings } from '../../src/store/format/fingerprint.ts';
import { idOf, type StoredSample } from '../../src/store/format/shard.ts';

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A row whose content is named by `content` (default: its path). */
export function storedRow(path: string, given: Partial<StoredSample> & { content?: string } = {}): StoredSample {
  const { content = path, ...rest } = given;
  const sha256 = sha256Of(content);
  return {
    id: idOf(sha256),
    path,
    label: 'ant',
    split: 'train',
    sha256,
    width: 500,
    height: 375,
    orientation: 1,
    ...rest,
  };
}

/** Settings as of a small network. */
export function settingsWith(given: Partial<FeatureSettings> = {}): FeatureSettings {
  return {
    backbone: 'vgg16',
    weights: sha256Of('weights'),
    cut: 'block5_pool',
    contract: CONTRACTS.keras,
    dtype: 'float16',
    engineClass: 'onnxruntime/cpu/fp32',
    ...given,
  };
}

export const ENGINE = { name: 'onnxruntime', device: 'cpu', precision: 'fp32', version: '1.0' };
export const WIDTHS = { flatten: 24, avg: 6, max: 6 } as const;

/** Features of rows, decided by their content: the same picture has the same features wherever it lies. */
export function featuresOf(rows: readonly StoredSample[], widths: PoolingWidths = WIDTHS): FeatureBatch {
  const features = DEFAULT_POOLINGS.map((pooling) => {
    const m = matrix(rows.length, widths[pooling]);
    for (const [i, { sha256 }] of rows.entries()) {
      const generator = random(Number.parseInt(sha256.slice(0, 7), 16) + DEFAULT_POOLINGS.indexOf(pooling));
      for (let j = 0; j < m.cols; j++) m.data[i * m.cols + j] = generator.uniform() * 40 - 5;
    }
    return [pooling, m] as const;
  });
  return { rows, features: new Map(features) };
}
