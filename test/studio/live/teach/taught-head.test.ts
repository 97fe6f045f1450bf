import { describe, expect, it } from 'vitest';
import { matrix } from '../../../../src/core/matrix.ts';
import { random } from '../../../../src/core/random.ts';
import { fitTaught, type TaughtData } from '../../../../src/studio/live/teach/taught-head.ts';

/** `bursts` independent pictures a class without any signal, each taken `copies` times with hardly any difference. */
function noise(bursts: number, copies: number, grouped: boolean): TaughtData {
  const generator = random(7);
  const rows = ['a', 'b'].flatMap((label) =>
    Array.from({ length: bursts * copies }, (_, i) => ({
      label,
      key: `${label}${i}`,
      group: grouped ? `${label} burst ${Math.floor(i / copies)}` : `${label}${i}`,
    })),
  );
  const X = matrix(rows.length, 32);
  for (let i = 0; i < rows.length; i += copies) {
    const one = Float32Array.from({ length: 32 }, () => generator.normal());
    for (let c = 0; c < copies; c++)
      for (let j = 0; j < 32; j++) X.data[(i + c) * 32 + j] = one[j]! + 0.01 * generator.normal();
  }
  return { X, rows };
}

describe('the head of taught images', () => {
  it('is not praised for knowing its own copies: pictures of one take stay in one fold', async () => {
    const accuracyOf = async (data: TaughtData): Promise<number> => {
      const fitted = await fitTaught(data);
      if ('missing' in fitted || 'missing' in fitted.facts.validated) throw new Error('no figures');
      return fitted.facts.validated.accuracy;
    };
    // There is nothing to learn: coins would be right half of the time.
    expect(await accuracyOf(noise(12, 6, true))).toBeLessThan(0.75);
    expect(await accuracyOf(noise(12, 6, false))).toBe(1);
  });

  it('tells what is missing instead of a figure that means nothing', async () => {
    const data = noise(2, 5, true);
    expect(await fitTaught({ X: matrix(0, 32), rows: [] })).toEqual({
      missing: 'A head needs two classes with an image each.',
    });
    const fitted = await fitTaught(data);
    if ('missing' in fitted) throw new Error(fitted.missing);
    expect(fitted.head.classes).toEqual(['a', 'b']);
    expect(fitted.facts.validated).toEqual({
      missing: expect.stringMatching(/needs 3 independent images .*; a has 2/) as string,
    });
  });
});
