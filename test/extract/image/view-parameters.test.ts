import { describe, expect, it } from 'vitest';
import { canonicalJson, sha256Hex } from '../../../src/core/digest.ts';
import { resolveOptions } from '../../../src/core/options.ts';
import {
  UNCHANGED,
  VIEW_DEFAULTS,
  VIEW_OPTIONS,
  viewParameters,
  viewSettings,
  type ViewParameters,
  type ViewPlan,
} from '../../../src/extract/image/view-parameters.ts';
import { textWith } from '../../support/errors.ts';

const plan = (given: Partial<ViewPlan>): ViewPlan => resolveOptions('views', VIEW_OPTIONS, given);
const wide = plan({ shear: 10, zoom: 0.3, rotation: 20, shift: 0.1, brightness: 0.4 });
const NUMBERS = ['rotation', 'shiftColumns', 'shiftRows', 'shear', 'zoomColumns', 'zoomRows', 'brightness'] as const;

/** Views 1 to 4 of `images` images. */
function drawn(of: ViewPlan, images: number, seed = 1): ViewParameters[] {
  return Array.from({ length: images * 4 }, (_, i) =>
    viewParameters(of, seed, sha256Hex(`image ${i >> 2}`), 1 + (i & 3)),
  );
}

describe('the plan of views', () => {
  it("is the report's by default: shear 0.2 degrees, zoom 0.2, mirrored or not, and nothing else", () => {
    expect(VIEW_DEFAULTS).toEqual({
      shear: 0.2,
      zoom: 0.2,
      horizontalFlip: true,
      rotation: 0,
      shift: 0,
      brightness: 0,
    });
  });

  it.each([{ zoom: 1 }, { zoom: -0.1 }, { shear: 81 }, { shift: 5 }, { brightness: 1.1 }, { rotation: Infinity }])(
    'refuses %j',
    (given) => expect(() => plan(given)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' })),
  );

  it('has one text for the fingerprint, which tells plan and seed and whatever the order of the options', () => {
    const text = canonicalJson(viewSettings(plan({ zoom: 0.1, shear: 3 }), 7));
    expect(text).toBe(
      '{"plan":{"brightness":0,"horizontalFlip":true,"rotation":0,"shear":3,"shift":0,"zoom":0.1},"recipe":"keras-affine-1","seed":7}',
    );
    expect(canonicalJson(viewSettings(plan({ shear: 3, zoom: 0.1 }), 7))).toBe(text);
    expect(canonicalJson(viewSettings(plan({ shear: 3, zoom: 0.1 }), 8))).not.toBe(text);
  });
});

describe('the parameters of a view', () => {
  it('of number 0 change nothing, whatever the plan', () => {
    expect(viewParameters(wide, 1, sha256Hex('any'), 0)).toEqual(UNCHANGED);
  });

  it('use the whole of each range and stay inside it', () => {
    const views = drawn(wide, 500);
    const middles = { ...UNCHANGED };
    const ranges = {
      rotation: 20,
      shiftColumns: 0.1,
      shiftRows: 0.1,
      shear: 10,
      zoomColumns: 0.3,
      zoomRows: 0.3,
      brightness: 0.4,
    };
    for (const name of NUMBERS) {
      const parts = views.map((view) => (view[name] - middles[name]) / ranges[name]).sort((a, b) => a - b);
      // Quantiles of a uniform distribution over -1 to 1; 2,000 draws miss one by 0.022 (one standard deviation) at
      // most.
      expect(parts[0]).toBeGreaterThanOrEqual(-1 - 1e-12);
      expect(parts[0]).toBeLessThan(-0.98);
      expect(parts.at(-1)).toBeLessThan(1 + 1e-12);
      expect(parts.at(-1)).toBeGreaterThan(0.98);
      for (const quantile of [0.25, 0.5, 0.75]) {
        expect(Math.abs(parts[quantile * 2000]! - (quantile * 2 - 1))).toBeLessThan(0.09);
      }
    }
    const flipped = views.filter(({ flip }) => flip).length;
    expect(Math.abs(flipped - 1000)).toBeLessThan(90); // four standard deviations
  });

  it('are drawn apart: no two of them go together', () => {
    const views = drawn(wide, 5000);
    const columns = [...NUMBERS, 'flip' as const].map((name) => {
      const values = views.map((view) => Number(view[name]));
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const norm = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0));
      return values.map((value) => (value - mean) / norm);
    });
    for (const [i, a] of columns.entries()) {
      for (const b of columns.slice(i + 1)) {
        // 20,000 independent draws correlate by 0.007 (one standard deviation).
        expect(Math.abs(a.reduce((sum, value, k) => sum + value * b[k]!, 0))).toBeLessThan(0.03);
      }
    }
  });

  it('leave alone what the plan does not ask for', () => {
    const views = drawn(plan({ zoom: 0, shear: 0, rotation: 20, horizontalFlip: false }), 5);
    expect(views.map((view) => ({ ...view, rotation: 0 }))).toEqual(views.map(() => UNCHANGED));
    expect(new Set(views.map(({ rotation }) => rotation)).size).toBe(20);
  });

  it('keep what they were where another option of the plan changes', () => {
    const without = drawn(plan({}), 5);
    const turned = drawn(plan({ rotation: 20, brightness: 0.4 }), 5);
    expect(turned.map((view) => ({ ...view, rotation: 0, brightness: 1 }))).toEqual(without);
    expect(turned).not.toEqual(without);
  });

  it('depend on the seed, the content and the number, each', () => {
    const image = sha256Hex('an image');
    const all = [
      viewParameters(wide, 1, image, 1),
      viewParameters(wide, 2, image, 1),
      viewParameters(wide, 1, sha256Hex('another'), 1),
      viewParameters(wide, 1, image, 2),
      viewParameters(wide, 2, image, 2),
    ];
    expect(new Set(all.map((view) => view.rotation)).size).toBe(5);
    expect(viewParameters(wide, 1, image, 1)).toEqual(all[0]);
  });

  it.each([
    ['a view that is no number', 1, sha256Hex(''), 0.5, /view must be an integer >= 0, got 0\.5/],
    ['a view below 0', 1, sha256Hex(''), -1, /view must be an integer >= 0, got -1/],
    ['a seed that is none', NaN, sha256Hex(''), 1, /seed must be an integer >= 0, got NaN/],
    ['a path for a digest', 1, 'train/ants/1.jpg', 1, /SHA-256 .* got "train\/ants\/1\.jpg"/],
  ])('are refused for %s', (_what, seed, sha256, view, message) => {
    expect(() => viewParameters(wide, seed, sha256, view)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: textWith(message) }),
    );
  });
});
