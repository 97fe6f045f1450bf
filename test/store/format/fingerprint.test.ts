import { describe, expect, it } from 'vitest';
import { PermafrostError } from '../../../src/core/errors.ts';
import type { Contract } from '../../../src/core/contract.ts';
import {
  differingSettings,
  fingerprintOf,
  requireSameSettings,
  type FeatureSettings,
} from '../../../src/store/format/fingerprint.ts';
import { settingsWith, sha256Of } from '../../support/stored-rows.ts';

/** Every field of the settings with another value that is as lawful. */
const CHANGES: readonly (readonly [field: string, FeatureSettings])[] = [
  ['backbone', settingsWith({ backbone: 'vgg19' })],
  ['weights', settingsWith({ weights: sha256Of('other weights') })],
  ['cut', settingsWith({ cut: 'block4_pool' })],
  ['dtype', settingsWith({ dtype: 'float32' })],
  ['engineClass', settingsWith({ engineClass: 'onnxruntime/cpu/int8' })],
  ...Object.entries({
    name: 'other',
    size: 225,
    geometry: 'cover-crop',
    kernel: 'bilinear',
    orientation: 'exif',
    iccProfile: 'convert',
    alpha: 'white',
    channelOrder: 'RGB',
    mean: [103.939, 116.779, 123.681],
    scale: 1 / 255,
  }).map(([key, value]) => {
    const contract = { ...settingsWith().contract, [key]: value } as Contract;
    return [`contract.${key}`, settingsWith({ contract })] as const;
  }),
];

/** The same value with all keys in the opposite order. */
const reversed = <T>(value: T): T =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? (Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, reversed(inner as unknown)]),
      ) as T)
    : value;

describe('the fingerprint', () => {
  // The number was computed by Python's json.dumps(sort_keys, separators) and hashlib.
  it('is the one that stores on disk have: a change of it would orphan their features', () => {
    const settings = settingsWith({
      weights: '7f'.repeat(32),
      contract: {
        name: 'vgg16',
        size: 224,
        geometry: 'cover-crop',
        kernel: 'bilinear',
        orientation: 'exif',
        iccProfile: 'ignore',
        alpha: 'white',
        channelOrder: 'BGR',
        mean: [103.939, 116.779, 123.68],
        scale: 1,
      },
    });
    expect(fingerprintOf(settings)).toBe('e584f7dd7c341a40');
  });

  it('changes with each single field, to a value of its own', () => {
    const settings = settingsWith();
    const tried = CHANGES.map(([field]) => field);
    // No field was forgotten here.
    expect(tried.filter((field) => !field.includes('.')).sort()).toEqual(
      Object.keys(settings)
        .filter((key) => key !== 'contract')
        .sort(),
    );
    expect(tried.filter((field) => field.includes('.')).sort()).toEqual(
      Object.keys(settings.contract)
        .map((key) => `contract.${key}`)
        .sort(),
    );
    const prints = [settings, ...CHANGES.map(([, changed]) => changed)].map(fingerprintOf);
    expect(new Set(prints).size).toBe(prints.length);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
  });

  it('does not change with the order of the keys', () => {
    const turned = reversed(settingsWith());
    expect(Object.keys(turned)).toEqual(Object.keys(settingsWith()).reverse());
    expect(Object.keys(turned.contract)).toEqual(Object.keys(settingsWith().contract).reverse());
    expect(fingerprintOf(turned)).toBe(fingerprintOf(settingsWith()));
  });
});

describe('settings that are compared', () => {
  it.each(CHANGES.filter(([field]) => field !== 'dtype'))(
    'name %s where it differs, and nothing else',
    (field, found) => {
      const differing = differingSettings(settingsWith(), found);
      expect(differing).toHaveLength(1);
      expect(differing[0]).toMatch(new RegExp(`^${field.replace('.', '\\.')}: .+, not .+$`));
      expect(() => requireSameSettings('The picture', settingsWith(), found)).toThrow(
        new PermafrostError(
          'FINGERPRINT_MISMATCH',
          `The picture does not fit: ${differing[0]}. Features of different settings cannot be mixed; extract again with the settings of the head, or train a head on these features.`,
        ),
      );
    },
  );

  it('name all fields that differ, found first and expected second', () => {
    const found = settingsWith({ cut: 'block1_pool', engineClass: 'onnxruntime/cpu/int8' });
    expect(differingSettings(settingsWith(), found)).toEqual([
      'cut: "block1_pool", not "block5_pool"',
      'engineClass: "onnxruntime/cpu/int8", not "onnxruntime/cpu/fp32"',
    ]);
  });

  it('may differ in dtype, which is a matter of storage, and in the order of keys', () => {
    const found = reversed(settingsWith({ dtype: 'float32' }));
    expect(() => requireSameSettings('The picture', settingsWith(), found)).not.toThrow();
  });
});
