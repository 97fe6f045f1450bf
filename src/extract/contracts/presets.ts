import type { Contract, Rgb } from '../../core/contract.ts';
import { canonicalJson } from '../../core/digest.ts';
import { without } from '../../core/options.ts';
import { PermafrostError } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { CAFFE_MEAN, CONTRACTS, UNNAMED_CONTRACT } from '../contract.ts';
import { AS_SEEN, canonicalFields, contractArithmetic, type ContractFields } from './canonical.ts';

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const OPENAI = { mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711] } as const;
const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
const RESCALE = 1 / 255;

/** The side of a picture of which the middle 7/8 are cut out: 256 for 224, as of networks trained on ImageNet. */
const aroundCrop = (size: number): number => Math.floor(size / 0.875);

type Preset = Pick<ContractFields, 'geometry' | 'kernel' | 'channelOrder'> & {
  readonly describe: string;
  readonly arithmetic: Pick<ContractFields, 'mean' | 'scale'>;
  /** Side that the picture is scaled to before the crop; absent: the network's own. */
  readonly resize?: (size: number) => number;
};

const CROPPED = { geometry: 'cover-crop', channelOrder: 'RGB', resize: aroundCrop } as const;
const NO_MEAN: Rgb = [0, 0, 0];

const PRESETS = {
  imagenet: {
    ...CROPPED,
    describe:
      "torchvision's and timm's networks: shorter side to size / 0.875, centre crop, mean and deviation of ImageNet",
    kernel: 'bilinear',
    arithmetic: contractArithmetic({ rescale: RESCALE, ...IMAGENET }),
  },
  clip: {
    describe: "CLIP of OpenAI and OpenCLIP: shorter side to size, centre crop, bicubic, CLIP's mean and deviation",
    geometry: 'cover-crop',
    kernel: 'bicubic',
    channelOrder: 'RGB',
    arithmetic: contractArithmetic({ rescale: RESCALE, ...OPENAI }),
  },
  siglip: {
    describe: 'SigLIP: squashed to the square, bicubic, -1 to 1',
    geometry: 'squash',
    kernel: 'bicubic',
    channelOrder: 'RGB',
    arithmetic: contractArithmetic({ rescale: RESCALE, ...HALF }),
  },
  inception: {
    ...CROPPED,
    describe: "Inception and timm's networks of Google: shorter side to size / 0.875, centre crop, bicubic, -1 to 1",
    kernel: 'bicubic',
    arithmetic: contractArithmetic({ rescale: RESCALE, ...HALF }),
  },
  caffe: {
    ...CROPPED,
    describe: 'Caffe, and Keras\' mode "caffe": BGR minus the means of ImageNet, 0 to 255; cropped as imagenet',
    kernel: 'bilinear',
    channelOrder: 'BGR',
    arithmetic: { mean: CAFFE_MEAN, scale: 1 },
  },
  tf: {
    ...CROPPED,
    describe: 'Keras\' mode "tf" (MobileNet, ResNetV2, Xception): pixel / 127.5 - 1; cropped as imagenet',
    kernel: 'bilinear',
    arithmetic: { mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 },
  },
  raw: {
    ...CROPPED,
    describe: 'networks that prepare the pixels themselves: RGB, 0 to 255; cropped as imagenet',
    kernel: 'bilinear',
    arithmetic: { mean: NO_MEAN, scale: 1 },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as PresetName[];

/** A preset a line, with what it is for. */
export const presetLines = (): string[] => PRESET_NAMES.map((name) => `  ${name.padEnd(9)}  ${PRESETS[name].describe}`);

/** The preset of that name for a network that reads squares of `size` pixels. Throws OPTION_INVALID. */
export function presetContract(name: string, size: number): Contract {
  if (!Object.hasOwn(PRESETS, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no preset "${name}"${suggest(name, PRESET_NAMES)}. The presets are: ${PRESET_NAMES.join(', ')}.`,
    );
  }
  const { geometry, kernel, channelOrder, arithmetic, resize }: Preset = PRESETS[name as PresetName];
  const fields = { size, geometry, kernel, ...AS_SEEN, channelOrder, ...arithmetic };
  return { name, ...canonicalFields({ ...fields, ...(resize && { resize: resize(size) }) }) };
}

/**
 * The contract of these fields in its canonical form. It has the name of the named contract or preset that says the
 * same, else `custom`: whatever it was read from, one meaning has one id.
 */
export function contractOf(given: ContractFields): Contract {
  const fields = canonicalFields(given);
  const text = canonicalJson(fields);
  const named = [...Object.values(CONTRACTS), ...PRESET_NAMES.map((name) => presetContract(name, fields.size))];
  const same = named.find((contract) => canonicalJson(without(contract, 'name')) === text);
  return same ?? { name: UNNAMED_CONTRACT, ...fields };
}
