import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generalisedMeans } from '../../src/core/sample.ts';

/** Made by test/golden/make_features.py. */
const { gem } = JSON.parse(readFileSync(new URL('../golden/features.json', import.meta.url), 'utf8')) as {
  readonly gem: readonly (readonly number[])[];
};

describe('generalised means', () => {
  it("are numpy's in float64, channel by channel, and 1e-6 of a channel of zeros", () => {
    const maps = Float32Array.from({ length: 72 }, (_, at) =>
      at % 4 === 3 ? 0 : Math.max(0, (((at * 7919) % 1009) / 1009) * 60 - 20),
    );
    const means = new Float32Array(9);
    generalisedMeans(maps.subarray(0, 36), 4, means);
    generalisedMeans(maps.subarray(36), 4, means, 5);
    gem.flat().forEach((value, at) => {
      const found = means[at < 4 ? at : at + 1]!;
      expect(Math.abs(found / value - 1)).toBeLessThan(6e-8);
    });
    expect(means[4]).toBe(0);
  });
});
