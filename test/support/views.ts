import fc from 'fast-check';
import type { ViewParameters } from '../../src/extract/image/view-parameters.ts';

const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true, noDefaultInfinity: true });

/** Any geometry that a plan may draw, and more; the brightness is left alone. */
export const anyView: fc.Arbitrary<ViewParameters> = fc.record({
  rotation: between(-180, 180),
  shiftColumns: between(-0.9, 0.9),
  shiftRows: between(-0.9, 0.9),
  shear: between(-80, 80),
  zoomColumns: between(0.1, 1.9),
  zoomRows: between(0.1, 1.9),
  flip: fc.boolean(),
  brightness: fc.constant(1),
});
