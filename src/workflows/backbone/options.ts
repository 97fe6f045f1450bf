import { booleanOption, integerOption, stringOption, type OptionsOf } from '../../core/options.ts';
import { BACKBONE_OPTIONS } from '../network/backbone-options.ts';

/** Options of `backbone`. */
export const DESCRIBE_OPTIONS = {
  contract: BACKBONE_OPTIONS.contract,
  weights: BACKBONE_OPTIONS.weights,
  cut: stringOption('', 'tensors that are measured too, and the first is checked at; empty: the sensible ones'),
  write: booleanOption(false, 'write backbone.json beside the file: what was found, in one form'),
  overwrite: booleanOption(false, 'write it over another one'),
  check: stringOption('', 'a data set on whose training images the contract is compared with others; empty: none'),
  images: integerOption(100, 'images that it is compared on, of all classes alike', { min: 20, max: 5000 }),
  seed: integerOption(1, 'seed by which these are drawn', { min: 0, max: 2 ** 31 - 1 }),
} as const;
/** Options of `backbone`. @interface */
export type BackboneOptions = OptionsOf<typeof DESCRIBE_OPTIONS>;

/** Options of `backbones`. */
export const BACKBONES_OPTIONS = {
  sha256: stringOption('', 'SHA-256 that the file must have, in hex; empty: that of a known network of the name'),
  name: stringOption('', 'what the network is called; empty: as its description says, or as its file'),
  contract: BACKBONE_OPTIONS.contract,
} as const;
/** Options of `backbones`. @interface */
export type BackbonesOptions = OptionsOf<typeof BACKBONES_OPTIONS>;
