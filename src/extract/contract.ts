import type { Contract } from '../core/contract.ts';
import { canonicalJson, sha256Hex } from '../core/digest.ts';
import { PermafrostError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';

export type { Contract, Rgb } from '../core/contract.ts';

/** The means of ImageNet in the order B, G, R, as the VGG group subtracted them (Keras calls it "caffe"). */
export const CAFFE_MEAN = [103.939, 116.779, 123.68] as const;

/** What Keras' flow_from_directory and vgg16.preprocess_input do, to the byte. */
const KERAS = {
  name: 'keras',
  size: 224,
  geometry: 'squash',
  kernel: 'nearest',
  orientation: 'ignore',
  iccProfile: 'ignore',
  alpha: 'drop',
  channelOrder: 'BGR',
  mean: CAFFE_MEAN,
  scale: 1,
} as const;

/** The named contracts. */
export const CONTRACTS = {
  /** The default: the picture as a person sees it, undistorted, in the colours that VGG16 was trained with. */
  vgg16: { ...KERAS, name: 'vgg16', geometry: 'cover-crop', kernel: 'bilinear', orientation: 'exif', alpha: 'white' },
  keras: KERAS,
  /** What the 2020 report did: rescale = 1/255 and nothing else. Kept to repeat it, not to use it. */
  'report-2020': { ...KERAS, name: 'report-2020', channelOrder: 'RGB', mean: [0, 0, 0], scale: 1 / 255 },
} as const satisfies Record<string, Contract>;

export type ContractName = keyof typeof CONTRACTS;
export const CONTRACT_NAMES = Object.keys(CONTRACTS) as ContractName[];

/** The contract of that name. Throws OPTION_INVALID with the choices. */
export function contractNamed(name: string): Contract {
  if (!Object.hasOwn(CONTRACTS, name)) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no contract "${name}"${suggest(name, CONTRACT_NAMES)}. The contracts are: ${CONTRACT_NAMES.join(', ')}.`,
    );
  }
  return CONTRACTS[name as ContractName];
}

/** Of the named contracts the one that takes transparent and 16-bit pictures the other way; undefined of all others. */
export function withOtherAlpha({ name, alpha }: Contract): ContractName | undefined {
  if (!Object.hasOwn(CONTRACTS, name)) return undefined;
  return alpha === 'white' ? 'keras' : 'vgg16';
}

/** The name of contracts that are none of the named ones, in their ids: it is part of fingerprints, and stays. */
export const UNNAMED_CONTRACT = 'custom';

/** What a contract is called where one reads it: by its name, and a network's own, which has none, by the network. */
export const contractLabel = ({ name }: Contract, network: string): string =>
  name === UNNAMED_CONTRACT ? network : name;

/** A contract within a sentence, where its network is known. */
export const contractInASentence = ({ name }: Contract): string =>
  name === UNNAMED_CONTRACT ? "the network's own contract" : `the contract ${name}`;

/** `name-xxxxxxxx`: the name and the first 8 hex digits of the SHA-256 over all fields. */
export function contractId(contract: Contract): string {
  return `${contract.name}-${sha256Hex(canonicalJson(contract)).slice(0, 8)}`;
}

/** What to tell before extracting under this contract; measured on hymenoptera (244 train, 153 val, block5_pool). */
export function contractWarning(contract: Contract): string | undefined {
  if (contract.name !== 'report-2020') return undefined;
  return (
    'contract report-2020 repeats the 1/255 rescaling of the 2020 report, which VGG16 was not trained with. On hymenoptera it cost ' +
    '0.10 of validation accuracy with kNN on pooled features (0.824 against 0.928), 0.26 on flatten (0.667 against 0.928), ' +
    '0.07 to 0.09 with logistic regression (0.850 against 0.915 to 0.935). Use the contract vgg16 or keras.'
  );
}
