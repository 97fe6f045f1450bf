import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { booleanOption, defaultsOf, numberOption, type OptionsOf } from '../../core/options.ts';
import { random } from '../../core/random.ts';

/**
 * How far the views of a training image may go, with the meanings of Keras' ImageDataGenerator (docs/views.md). The
 * defaults are those of the 2020 report: shear_range = 0.2, zoom_range = 0.2, horizontal_flip = True.
 */
export const VIEW_OPTIONS = {
  shear: numberOption(0.2, 'shear: an angle of -shear to shear degrees', { min: 0, max: 80 }),
  zoom: numberOption(0.2, 'zoom: height and width, each divided by a factor of its own from 1 - zoom to 1 + zoom', {
    min: 0,
    max: 0.9,
  }),
  horizontalFlip: booleanOption(true, 'mirror a view, left and right changed, with probability 1/2'),
  rotation: numberOption(0, 'rotation: an angle of -rotation to rotation degrees', { min: 0, max: 180 }),
  shift: numberOption(0, 'shift down and across, each by -shift to shift of the side', { min: 0, max: 0.9 }),
  brightness: numberOption(0, 'brightness: multiplied by 1 - brightness to 1 + brightness', { min: 0, max: 1 }),
} as const;
/** A checked plan of views: how far each may go. @interface */
export type ViewPlan = OptionsOf<typeof VIEW_OPTIONS>;
/** The views of the 2020 report: sheared, zoomed and mirrored. */
export const VIEW_DEFAULTS: ViewPlan = defaultsOf(VIEW_OPTIONS);

/** What one view does to one image. In brackets: the name in Keras' apply_affine_transform. */
export interface ViewParameters {
  /** Degrees; positive turns the picture anticlockwise [theta]. */
  readonly rotation: number;
  /** Parts of the side; positive moves the picture to the left [tx]. */
  readonly shiftColumns: number;
  /** Parts of the side; positive moves the picture up [ty]. */
  readonly shiftRows: number;
  /** Degrees [shear]. */
  readonly shear: number;
  /** The picture's width is divided by it: above 1 shows more than the picture, whose border is drawn out [zx]. */
  readonly zoomColumns: number;
  /** The picture's height is divided by it [zy]. */
  readonly zoomRows: number;
  /** Mirrored, left and right changed, after all of the above. */
  readonly flip: boolean;
  /** Factor on the 8-bit values, at the very end; 1 changes nothing. */
  readonly brightness: number;
}

/** View 0 of every image: the image itself. */
export const UNCHANGED: ViewParameters = Object.freeze({
  rotation: 0,
  shiftColumns: 0,
  shiftRows: 0,
  shear: 0,
  zoomColumns: 1,
  zoomRows: 1,
  flip: false,
  brightness: 1,
});

/** Throws OPTION_INVALID for a plan whose views are all the image itself. */
export function requireChange(plan: ViewPlan): void {
  const { horizontalFlip, ...ranges } = plan;
  if (horizontalFlip || Object.values(ranges).some((range) => range > 0)) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `Views with ${Object.keys(ranges).join(', ')} of 0 and without horizontalFlip are all the image itself. Ask for a change, or for no views.`,
  );
}

/** The parts of a fingerprint that decide view i of an image: the plan, the seed and how views are made. */
export interface ViewSettings {
  /** Changes whenever the same plan and seed would give other bytes. */
  readonly recipe: 'keras-affine-1';
  readonly seed: number;
  readonly plan: ViewPlan;
}

/** A JSON value, equal for equal views, with one canonicalJson. Views 1 and up depend on it, view 0 does not. */
export function viewSettings(plan: ViewPlan, seed: number): ViewSettings {
  return { recipe: 'keras-affine-1', seed, plan };
}

/**
 * The parameters of view `view` (0, 1, ...) of the image whose file has the digest `sha256` (64 lower-case hex digits).
 * They depend on nothing else; view 0 is UNCHANGED. Every number is drawn whether used or not, so that another range
 * for one option leaves the others. Throws OPTION_INVALID for a view or seed that is no integer >= 0, or no digest.
 */
export function viewParameters(plan: ViewPlan, seed: number, sha256: string, view: number): ViewParameters {
  for (const [name, value] of Object.entries({ seed, view })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new PermafrostError('OPTION_INVALID', `views: ${name} must be an integer >= 0, got ${value}.`);
    }
  }
  if (!/^[0-9a-f]{64}$/.test(sha256)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `views: an image is named by the SHA-256 of its file, 64 lower-case hex digits, got "${sha256}".`,
    );
  }
  if (view === 0) return UNCHANGED;
  const source = random(Number.parseInt(sha256Hex(canonicalJson([seed, sha256, view])).slice(0, 8), 16));
  const within = (range: number): number => {
    const part = source.uniform() * 2 - 1;
    return range === 0 ? 0 : part * range;
  };
  return Object.freeze({
    rotation: within(plan.rotation),
    shiftColumns: within(plan.shift),
    shiftRows: within(plan.shift),
    shear: within(plan.shear),
    zoomColumns: 1 + within(plan.zoom),
    zoomRows: 1 + within(plan.zoom),
    flip: source.uniform() < 0.5 && plan.horizontalFlip,
    brightness: 1 + within(plan.brightness),
  });
}
