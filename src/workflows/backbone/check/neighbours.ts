import { rgbArithmetic, type Contract, type Rgb } from '../../../core/contract.ts';
import { without } from '../../../core/options.ts';
import type { GraphInput } from '../../../extract/backbones/backbone.ts';
import { UNNAMED_CONTRACT } from '../../../extract/contract.ts';
import { presetContract, type PresetName } from '../../../extract/contracts/presets.ts';

/** A contract that differs from the stated one in what people get wrong. */
export interface Neighbour {
  /** What is other, in a few words. */
  readonly what: string;
  readonly contract: Contract;
  /** Whether pictures are laid differently into the square, or pixels made other numbers. */
  readonly kind: 'geometry' | 'arithmetic';
}

type Arithmetic = Pick<Contract, 'channelOrder' | 'mean' | 'scale'>;

const each = ([a, b, c]: Rgb, change: (x: number) => number): Rgb => [change(a), change(b), change(c)];
const reversed = ([a, b, c]: Rgb): Rgb => [c, b, a];
const scales = ({ scale }: Arithmetic): Rgb => (typeof scale === 'number' ? [scale, scale, scale] : scale);

/** The other order of the channels; each keeps its own mean and scale. */
function swapped(given: Arithmetic): Arithmetic {
  const channelOrder = given.channelOrder === 'RGB' ? 'BGR' : 'RGB';
  return { channelOrder, mean: reversed(given.mean), scale: reversed(scales(given)) };
}

/** The same mean and scale of pixels that were multiplied by `factor` before. */
const multiplied = (given: Arithmetic, factor: number): Arithmetic => ({
  channelOrder: given.channelOrder,
  mean: each(given.mean, (m) => m / factor),
  scale: each(scales(given), (s) => s * factor),
});

const ofPreset = (name: PresetName, size: number): Arithmetic => {
  const { channelOrder, mean, scale } = presetContract(name, size);
  return { channelOrder, mean, scale };
};

/** Arithmetic that networks are trained with, and what it is called. */
const families = (size: number): readonly (readonly [what: string, arithmetic: Arithmetic])[] => [
  ['the mean and deviation of ImageNet', ofPreset('imagenet', size)],
  ['the mean and deviation of CLIP', ofPreset('clip', size)],
  ['pixels from -1 to 1 (Inception, TensorFlow, SigLIP)', ofPreset('inception', size)],
  ['BGR less the means of ImageNet (Caffe)', ofPreset('caffe', size)],
  ['pixels from 0 to 1', { channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 / 255 }],
  ['pixels from 0 to 255', ofPreset('raw', size)],
];

/** Arithmetic counts as the same where no level of any colour comes out further apart than this part of the range. */
const SAME = 0.02;

/** Whether two kinds of arithmetic give a network nearly the same numbers. */
function areAlike(a: Arithmetic, b: Arithmetic): boolean {
  if (a.channelOrder !== b.channelOrder) return false;
  const [one, other] = [rgbArithmetic(a), rgbArithmetic(b)];
  return [0, 1, 2].every((c) => {
    const range = 255 * Math.abs(one.scale[c]!);
    const at = (level: number): number =>
      (level - one.mean[c]!) * one.scale[c]! - (level - other.mean[c]!) * other.scale[c]!;
    return Math.max(Math.abs(at(0)), Math.abs(at(255))) < SAME * range;
  });
}

/**
 * Contracts with the same pixels and other arithmetic: channels in the other order, the division by 255 missing or done
 * twice, the mean and deviation of other networks. None that gives nearly the same numbers as one before it. A network
 * that takes bytes has its arithmetic inside: there only the order counts.
 */
export function arithmeticNeighbours(stated: Contract, dtype: GraphInput['dtype']): Neighbour[] {
  const order = stated.channelOrder === 'RGB' ? 'BGR instead of RGB' : 'RGB instead of BGR';
  const tried: readonly (readonly [string, Arithmetic])[] = [
    [order, swapped(stated)],
    ...(dtype === 'uint8'
      ? []
      : ([
          ['pixels divided by 255 once more', multiplied(stated, 1 / 255)],
          ['pixels divided by 255 once less', multiplied(stated, 255)],
          ...families(stated.size),
        ] as const)),
  ];
  const kept: [string, Arithmetic][] = [];
  for (const [what, arithmetic] of tried) {
    if (areAlike(stated, arithmetic) || kept.some(([, other]) => areAlike(other, arithmetic))) continue;
    kept.push([what, arithmetic]);
  }
  return kept.map(([what, arithmetic]) => ({
    what,
    contract: { ...stated, ...arithmetic, name: UNNAMED_CONTRACT },
    kind: 'arithmetic',
  }));
}

/** The contract with another geometry; `resize` is left out where it is the square's side. */
function laid(stated: Contract, geometry: Contract['geometry'], edge: number): Contract {
  const { crop, ...rest } = without(stated, 'resize', 'pad');
  return {
    ...rest,
    name: UNNAMED_CONTRACT,
    geometry,
    ...(edge !== stated.size && { resize: edge }),
    ...(crop !== undefined && geometry !== 'contain-pad' && { crop }),
  };
}

/** The side before the crop of most networks trained on ImageNet. */
const aroundCrop = (size: number): number => Math.floor(size / 0.875);

/**
 * Contracts with other pixels: cropped instead of squashed and the other way round, another side before the crop. Of
 * squares alone a squashed picture is one without a crop, so `areSquares` leaves that out.
 */
export function geometryNeighbours(stated: Contract, areSquares: boolean): Neighbour[] {
  const { size, geometry, resize = size } = stated;
  const instead = { 'cover-crop': 'cropped', squash: 'squashed', 'contain-pad': 'padded' }[geometry];
  const others: Neighbour[] = [];
  const kind = 'geometry';
  if (!areSquares && geometry !== 'squash')
    others.push({ what: `squashed instead of ${instead}`, contract: laid(stated, 'squash', size), kind });
  if (!areSquares && geometry !== 'cover-crop')
    others.push({ what: `cropped instead of ${instead}`, contract: laid(stated, 'cover-crop', resize), kind });
  if (geometry === 'cover-crop') {
    const edge = resize === size ? aroundCrop(size) : size;
    others.push({
      what: `shorter side to ${edge} instead of ${resize} before the crop`,
      contract: laid(stated, geometry, edge),
      kind,
    });
  }
  return others;
}
