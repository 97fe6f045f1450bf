import { describe, expect, it } from 'vitest';
import type { FeatureSettings } from '../../../src/store/format/fingerprint.ts';
import { storedEngineClasses } from '../../../src/store/read/stored-engine-classes.ts';
import type { FeatureSet, Manifest } from '../../../src/store/format/manifest.ts';
import { kerasCaffe, kerasUnit } from '../../support/contracts.ts';

const settings = {
  backbone: 'vgg16',
  weights: '0'.repeat(64),
  cut: 'block5_pool',
  contract: kerasCaffe,
  dtype: 'float16',
} as const satisfies Omit<FeatureSettings, 'engineClass'>;

const file = { name: 'x', bytes: 0, sha256: '0'.repeat(64) };

function setOf(engineClass: string, rows: number, others: Partial<FeatureSettings> = {}): FeatureSet {
  const contract = others.contract ?? kerasCaffe;
  return {
    fingerprint: engineClass,
    settings: { ...settings, ...others, contract: { ...contract, mean: [...contract.mean] }, engineClass },
    engine: { name: 'x', device: 'x', precision: 'x', version: '1' },
    widths: { flatten: 1, avg: 1, max: 1 },
    shards: rows === 0 ? [] : [{ rows, files: { rows: file, flatten: file, avg: file, max: file } }],
  };
}

function manifest(current: string, ...sets: FeatureSet[]): Manifest {
  return {
    format: 'permafrost-store',
    version: 1,
    permafrost: '0',
    dataset: { root: '/', sets: [{ fingerprint: current, poolings: ['avg'] }], failures: [] },
    sets,
  };
}

describe('the engine classes that a store holds', () => {
  it("are the data set's own first, then those with most rows", () => {
    const held = manifest('b', setOf('a', 5), setOf('b', 1), setOf('c', 9));
    expect(storedEngineClasses(held, settings)).toEqual(['b', 'c', 'a']);
  });

  it('are only those with rows, and with the same settings in everything else', () => {
    const held = manifest(
      '',
      setOf('empty', 0),
      setOf('contract', 3, { contract: kerasUnit }),
      setOf('weights', 3, { weights: '1'.repeat(64) }),
      setOf('cut', 3, { cut: 'block4_pool' }),
      setOf('dtype', 3, { dtype: 'float32' }),
      setOf('same', 3),
    );
    expect(storedEngineClasses(held, settings)).toEqual(['same']);
  });
});
