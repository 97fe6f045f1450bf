import { describe, expect, it } from 'vitest';
import { without } from '../../../src/core/options.ts';
import { contractId, CONTRACTS } from '../../../src/extract/contract.ts';
import { AS_SEEN, type ContractFields } from '../../../src/extract/contracts/canonical.ts';
import { contractOf, PRESET_NAMES, presetContract } from '../../../src/extract/contracts/presets.ts';

const PLAIN: ContractFields = {
  size: 224,
  geometry: 'squash',
  kernel: 'bicubic',
  ...AS_SEEN,
  channelOrder: 'RGB',
  mean: [1, 2, 3],
  scale: 0.5,
};

describe('the presets', () => {
  it('are these, for 224 pixels', () => {
    const said = PRESET_NAMES.map((name) => {
      const { geometry, resize = 'size', kernel, channelOrder, mean, scale } = presetContract(name, 224);
      return [name, geometry, resize, kernel, channelOrder, mean.join(' '), [scale].flat().join(' ')].join(', ');
    });
    expect(said).toEqual([
      'imagenet, cover-crop, 256, bilinear, RGB, 123.675 116.28 103.53, 0.0171247538 0.0175070028 0.0174291939',
      'clip, cover-crop, size, bicubic, RGB, 122.770938 116.746013 104.093736, 0.0145984266 0.0150077685 0.0142200657',
      'siglip, squash, size, bicubic, RGB, 127.5 127.5 127.5, 0.00784313725',
      'inception, cover-crop, 256, bicubic, RGB, 127.5 127.5 127.5, 0.00784313725',
      'caffe, cover-crop, 256, bilinear, BGR, 103.939 116.779 123.68, 1',
      'tf, cover-crop, 256, bilinear, RGB, 127.5 127.5 127.5, 0.00784313725',
      'raw, cover-crop, 256, bilinear, RGB, 0 0 0, 1',
    ]);
  });

  it('keep their ids: a changed id says that features of before cannot be used', () => {
    expect(PRESET_NAMES.map((name) => contractId(presetContract(name, 224)))).toMatchInlineSnapshot(`
      [
        "imagenet-2d5c0a36",
        "clip-d854b101",
        "siglip-7acd4d79",
        "inception-040fe568",
        "caffe-b9fc42f3",
        "tf-d620b23a",
        "raw-5fa410e3",
      ]
    `);
  });

  it('are made for a size', () => {
    expect(presetContract('imagenet', 384)).toMatchObject({ size: 384, resize: 438 });
    expect(presetContract('clip', 336)).toMatchObject({ size: 336 });
    expect(presetContract('clip', 336)).not.toHaveProperty('resize');
  });

  it('are found by name, and an unknown one is refused with the nearest and the choices', () => {
    expect(() => presetContract('siglap', 224)).toThrow(
      /no preset "siglap" \(did you mean "siglip"\?\).*imagenet, clip/,
    );
    expect(() => presetContract('toString', 224)).toThrow(/no preset/);
  });
});

describe('a contract in its canonical form', () => {
  it('has one id for one meaning: what is the default is left out', () => {
    const id = contractId(contractOf(PLAIN));
    for (const same of [
      { resize: 224 },
      { crop: 'floor' },
      { pad: [9, 9, 9] },
      { scale: [0.5, 0.5, 0.5] },
      { scale: 0.5 + 1e-15 },
      { mean: [1 + 1e-14, 2, 3] },
    ] as const satisfies readonly Partial<ContractFields>[])
      expect(contractId(contractOf({ ...PLAIN, ...same })), JSON.stringify(same)).toBe(id);
    const nearest = contractOf({ ...PLAIN, kernel: 'nearest' });
    expect(contractOf({ ...PLAIN, kernel: 'nearest', antialias: false })).toEqual(nearest);
    const padded = contractOf({ ...PLAIN, geometry: 'contain-pad' });
    expect(contractOf({ ...PLAIN, geometry: 'contain-pad', pad: [0, 0, 0] })).toEqual(padded);
  });

  it('has another id for another meaning', () => {
    const others: readonly Partial<ContractFields>[] = [
      {},
      { resize: 256 },
      { resize: 257, crop: 'floor' },
      { resize: 257 },
      { geometry: 'cover-crop' },
      { geometry: 'cover-crop', crop: 'floor' },
      { geometry: 'contain-pad' },
      { geometry: 'contain-pad', pad: [1, 2, 3] },
      { antialias: false },
      { scale: [0.5, 0.5, 0.6] },
      { mean: [1.001, 2, 3] },
    ];
    expect(new Set(others.map((other) => contractId(contractOf({ ...PLAIN, ...other })))).size).toBe(others.length);
  });

  it('is named as the named contract or the preset that says the same, else "custom"', () => {
    for (const name of PRESET_NAMES) {
      expect(contractOf(without(presetContract(name, 256), 'name'))).toEqual(presetContract(name, 256));
    }
    expect(contractId(contractOf(without(CONTRACTS.keras, 'name')))).toBe(contractId(CONTRACTS.keras));
    expect(contractOf(PLAIN).name).toBe('custom');
  });
});
