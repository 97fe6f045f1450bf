import { describe, expect, it } from 'vitest';
import type { Contract } from '../../src/core/contract.ts';
import { CONTRACT_NAMES, contractId, contractNamed, CONTRACTS, contractWarning } from '../../src/extract/contract.ts';

describe('the contracts', () => {
  it('differ in what the documents say, and in nothing else', () => {
    expect(CONTRACTS.vgg16).toEqual({
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
    });
    expect(CONTRACTS.keras).toEqual({
      ...CONTRACTS.vgg16,
      name: 'keras',
      geometry: 'squash',
      kernel: 'nearest',
      orientation: 'ignore',
      alpha: 'drop',
    });
    expect(CONTRACTS['report-2020']).toEqual({
      ...CONTRACTS.keras,
      name: 'report-2020',
      channelOrder: 'RGB',
      mean: [0, 0, 0],
      scale: 1 / 255,
    });
  });

  it('keep their ids, which stand in reports: a changed id says that a contract was changed', () => {
    expect(CONTRACT_NAMES.map((name) => contractId(CONTRACTS[name]))).toEqual([
      'vgg16-148a0744',
      'keras-6516e641',
      'report-2020-28972177',
    ]);
  });

  it('get another id when any field changes, whatever the order of the fields', () => {
    const base: Contract = CONTRACTS.vgg16;
    const changes: Record<keyof Contract, unknown> = {
      name: 'mine',
      size: 256,
      geometry: 'squash',
      resize: 256,
      crop: 'floor',
      pad: [1, 2, 3],
      kernel: 'lanczos',
      antialias: false,
      rounding: 'pillow',
      orientation: 'ignore',
      iccProfile: 'apply',
      alpha: 'drop',
      channelOrder: 'RGB',
      mean: [103.939, 116.779, 123.681],
      scale: 2,
    };
    const ids = Object.entries(changes).map(([key, value]) =>
      contractId({ ...base, [key]: value }).replace(/^.*-/, ''),
    );
    expect(new Set([...ids, contractId(base).replace(/^.*-/, '')]).size).toBe(ids.length + 1);
    const reversed = Object.fromEntries(Object.entries(base).reverse()) as unknown as Contract;
    expect(contractId(reversed)).toBe(contractId(base));
  });

  it('are found by name, and an unknown name is refused with the nearest and the choices', () => {
    expect(contractNamed('keras')).toBe(CONTRACTS.keras);
    for (const [name, expected] of [
      ['kears', /did you mean "keras".*vgg16, keras, report-2020/],
      ['toString', /no contract "toString"/],
    ] as const) {
      expect(() => contractNamed(name)).toThrow(expected);
      expect(() => contractNamed(name)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
    }
  });

  it('warn of the 1/255 rescaling with the accuracy that it cost, and of nothing else', () => {
    expect(contractWarning(CONTRACTS['report-2020'])).toMatch(/0\.667 against 0\.928.*vgg16 or keras/s);
    expect(contractWarning(CONTRACTS.vgg16)).toBeUndefined();
    expect(contractWarning(CONTRACTS.keras)).toBeUndefined();
  });
});
