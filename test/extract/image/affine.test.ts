import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sampleAffine, viewAffine, type Affine } from '../../../src/extract/image/affine.ts';
import { UNCHANGED, type ViewParameters } from '../../../src/extract/image/view-parameters.ts';
import { goldenFloats, goldenTensors } from '../../support/golden.ts';
import { pixelAt, texture } from '../../support/pictures.ts';
import { hasShared, needsShared, sharedPath } from '../../support/shared.ts';
import { anyView } from '../../support/views.ts';

function sample(pixels: Uint8Array, size: number, affine: Affine): Float32Array {
  const out = new Float32Array(size * size * 3);
  sampleAffine(pixels, size, affine, out);
  return out;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}

/** The arguments of Keras' apply_affine_transform: degrees, pixels, factors. */
type KerasArguments = Partial<Record<'theta' | 'tx' | 'ty' | 'shear' | 'zx' | 'zy', number>>;

const golden = 'golden/augment.safetensors';
const SIDE = 224;

const fromKeras = ({ theta = 0, tx = 0, ty = 0, shear = 0, zx = 1, zy = 1 }: KerasArguments): ViewParameters => ({
  ...UNCHANGED,
  rotation: theta,
  shiftColumns: tx / SIDE,
  shiftRows: ty / SIDE,
  shear,
  zoomColumns: zx,
  zoomRows: zy,
});

describe.skipIf(!hasShared(golden))(needsShared(golden, "beside Keras' own affine transform"), () => {
  /** The largest difference to Keras, in levels, over all cases of which `which` holds. */
  function error(affine: (given: KerasArguments) => Affine, which: (given: KerasArguments) => boolean): number {
    const tensors = goldenTensors('augment.safetensors');
    const cases = JSON.parse(readFileSync(sharedPath('golden/augment.json'), 'utf8')) as KerasArguments[];
    const input = tensors.get('input')?.data;
    if (!(input instanceof Uint8Array)) throw new Error('no uint8 tensor input in the golden file');
    const errors = cases.flatMap((given, i) =>
      which(given) ? [largestDifference(sample(input, SIDE, affine(given)), goldenFloats(tensors, `case${i}`))] : [],
    );
    expect(errors.length).toBeGreaterThan(0);
    return Math.max(...errors);
  }
  const all = (): boolean => true;
  const sheared = ({ shear = 0 }: KerasArguments): boolean => shear !== 0;

  it('every value of all nine views is the same to float32', () => {
    // Two neighbours in float32 below 256 lie 1.53e-5 apart.
    expect(error((given) => viewAffine(fromKeras(given), SIDE), all)).toBeLessThan(2e-5);
  });

  it('rows and columns of the shear exchanged are seen', () => {
    const exchanged = ({ row, column }: Affine): Affine => ({
      row: { start: column.start, perRow: column.perColumn, perColumn: column.perRow },
      column: { start: row.start, perRow: row.perColumn, perColumn: row.perRow },
    });
    for (const shear of [0.2, 15]) {
      const found = error(
        (given) => exchanged(viewAffine(fromKeras(given), SIDE)),
        (given) => given.shear === shear,
      );
      expect(found).toBeGreaterThan(10);
    }
  });

  it('radians taken for degrees are seen', () => {
    const wrong = ({ shear = 0, ...rest }: KerasArguments): Affine =>
      viewAffine(fromKeras({ ...rest, shear: (shear * 180) / Math.PI }), SIDE);
    expect(error(wrong, ({ shear }) => shear === 0.2)).toBeGreaterThan(10);
    const other = ({ theta = 0, ...rest }: KerasArguments): Affine =>
      viewAffine(fromKeras({ ...rest, theta: (theta * Math.PI) / 180 }), SIDE);
    expect(error(other, ({ theta = 0 }) => theta !== 0)).toBeGreaterThan(10);
  });

  it('a middle half a pixel off, as old versions of Keras had it, is seen', () => {
    const wrong = (given: KerasArguments): Affine => viewAffine(fromKeras(given), SIDE + 1);
    expect(error(wrong, sheared)).toBeGreaterThan(1);
  });

  it('the zooms of rows and columns exchanged are seen', () => {
    const exchanged = ({ zx = 1, zy = 1, ...rest }: KerasArguments): Affine =>
      viewAffine(fromKeras({ ...rest, zx: zy, zy: zx }), SIDE);
    expect(error(exchanged, ({ zx, zy }) => zx !== zy)).toBeGreaterThan(10);
  });
});

type Matrix3 = readonly (readonly number[])[];
const product = (...factors: Matrix3[]): Matrix3 =>
  factors.reduce((a, b) => a.map((row) => [0, 1, 2].map((j) => row.reduce((s, v, k) => s + v * b[k]![j]!, 0))));

/**
 * The four matrices of Keras one by one, about the middle, in x and y; then the flip; then linear interpolation between
 * pixels that repeat beyond the border.
 */
function reference(pixels: Uint8Array, size: number, view: ViewParameters, row: number, column: number): number[] {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180;
  const [t, s] = [radians(view.rotation), radians(view.shear)];
  const middle = size / 2 - 0.5;
  const moved = (x: number, y: number): Matrix3 => [[1, 0, x], [0, 1, y], [0, 0, 1]]; // prettier-ignore
  const map = product(
    moved(middle, middle),
    [[Math.cos(t), -Math.sin(t), 0], [Math.sin(t), Math.cos(t), 0], [0, 0, 1]], // prettier-ignore
    moved(view.shiftColumns * size, view.shiftRows * size),
    [[1, -Math.sin(s), 0], [0, Math.cos(s), 0], [0, 0, 1]], // prettier-ignore
    [[view.zoomColumns, 0, 0], [0, view.zoomRows, 0], [0, 0, 1]], // prettier-ignore
    moved(-middle, -middle),
  );
  const x = view.flip ? size - 1 - column : column;
  const at = (axis: number): number => map[axis]![0]! * x + map[axis]![1]! * row + map[axis]![2]!;
  const within = (v: number): number => Math.min(Math.max(v, 0), size - 1);
  const [u, v] = [within(at(0)), within(at(1))];
  const colour = (y: number, x: number): number[] => pixelAt(pixels, size, within(x), within(y));
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const mix = (a: number[], b: number[], part: number): number[] => a.map((p, i) => p + (b[i]! - p) * part);
  return mix(
    mix(colour(top, left), colour(top, left + 1), u - left),
    mix(colour(top + 1, left), colour(top + 1, left + 1), u - left),
    v - top,
  );
}

const side = fc.integer({ min: 1, max: 24 });

describe('the affine map of a view', () => {
  it('is the product of Keras four matrices, whatever the parameters', () => {
    fc.assert(
      fc.property(side, anyView, fc.nat(1000), (size, view, seed) => {
        const { data } = texture(size, size, seed);
        const expected: number[] = [];
        for (let row = 0; row < size; row++) {
          for (let column = 0; column < size; column++) expected.push(...reference(data, size, view, row, column));
        }
        // A point moves by less than 24 * 2^-32 pixels, two neighbours differ by 255 levels at most; float32 adds
        // 1.5e-5.
        expect(largestDifference(sample(data, size, viewAffine(view, size)), expected)).toBeLessThan(3e-5);
      }),
      { numRuns: 60 },
    );
  });

  it('never leaves the range of the pixels it is given', () => {
    fc.assert(
      fc.property(side, anyView, fc.nat(1000), (size, view, seed) => {
        const { data } = texture(size, size, seed);
        const found = sample(data, size, viewAffine(view, size));
        expect(Math.min(...found)).toBeGreaterThanOrEqual(Math.min(...data) - 1e-4);
        expect(Math.max(...found)).toBeLessThanOrEqual(Math.max(...data) + 1e-4);
      }),
      { numRuns: 60 },
    );
  });

  it('is the same where a sine differs in its last digit', () => {
    const view = { ...UNCHANGED, rotation: 20, shear: 0.2, shiftRows: 0.1 };
    const beside = { ...view, rotation: 20 * (1 + 2 ** -52), shear: 0.2 * (1 + 2 ** -52) };
    expect(viewAffine(beside, SIDE)).toEqual(viewAffine(view, SIDE));
    expect(viewAffine({ ...view, shear: 0.2001 }, SIDE)).not.toEqual(viewAffine(view, SIDE));
  });
});
