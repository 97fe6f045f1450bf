import type { Contract, Rgb } from '../../core/contract.ts';

/** All that a contract says, without its name. */
export type ContractFields = Omit<Contract, 'name'>;

/** What permafrost says and no other tool does: pictures as a person sees them. */
export const AS_SEEN = { orientation: 'exif', iccProfile: 'ignore', alpha: 'white' } as const;

/** Digits of means and scales: more than float32 has, so few that 0.485 * 255 and 0.485 / (1 / 255) agree. */
const DIGITS = 9;
const rounded = (x: number): number => Number(x.toPrecision(DIGITS));
const triple = ([a, b, c]: Rgb, of: (x: number) => number): Rgb => [of(a), of(b), of(c)];

/** How a library makes numbers of pixels: (pixel * rescale + offset - mean[channel]) / std[channel]. */
export interface Normalization {
  readonly rescale: number;
  /** Default 0. */
  readonly offset?: number;
  readonly mean: Rgb;
  readonly std: Rgb;
}

/** The same as (pixel - mean[channel]) * scale[channel]. */
export function contractArithmetic({
  rescale,
  offset = 0,
  mean,
  std,
}: Normalization): Pick<Contract, 'mean' | 'scale'> {
  return { mean: triple(mean, (m) => (m - offset) / rescale), scale: triple(std, (s) => rescale / s) };
}

/**
 * The same meaning in the one form that it has: defaults left out, numbers in the digits that count. Pixels are
 * Pillow's to the byte, as those of the tools that describe networks.
 */
export function canonicalFields(fields: ContractFields): ContractFields {
  const { size, geometry, resize = size, crop, pad, kernel, antialias, orientation, alpha, channelOrder } = fields;
  const mean = triple(fields.mean, rounded);
  const scales =
    typeof fields.scale === 'number' ? ([fields.scale, fields.scale, fields.scale] as const) : fields.scale;
  const scale = triple(scales, rounded);
  const isOne = scale.every((value) => value === scale[0]);
  const isSquare = geometry === 'squash' && (resize - size) % 2 === 0;
  return {
    size,
    geometry,
    ...(resize !== size && { resize }),
    ...(crop !== undefined && !isSquare && { crop }),
    ...(pad?.some((level) => level !== 0) === true && geometry === 'contain-pad' && { pad }),
    kernel,
    ...(kernel !== 'nearest' && (antialias === false ? { antialias } : { rounding: 'pillow' })),
    orientation,
    iccProfile: 'ignore',
    alpha,
    channelOrder,
    mean,
    scale: isOne ? scale[0] : scale,
  };
}
