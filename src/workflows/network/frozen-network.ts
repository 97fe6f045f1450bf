import type { Listener } from '../../core/listener.ts';
import type { Contract } from '../../core/contract.ts';
import { PermafrostError } from '../../core/errors.ts';
import { stringOption } from '../../core/options.ts';
import { suggest } from '../../core/suggest.ts';
import type { Backbone } from '../../extract/backbones/backbone.ts';
import { LAYER_BACKBONES, layerBackbone } from '../../extract/backbones/vgg.ts';
import { contractNamed } from '../../extract/contract.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';

/** The network whose features are wanted, before its weights are read: which one, and what its pixels are. */
export interface FrozenNetwork {
  readonly backbone: Backbone;
  readonly contract: Contract;
  /** Another weights file than the bundled one of a list of layers; '': that. */
  readonly weights: string;
}

const [DEFAULT] = LAYER_BACKBONES;
/** The contract of lists of layers, where none is named. */
const LAYERS_CONTRACT = 'vgg16';

/** Which network, for every command that runs one of the user's choice. */
export const BACKBONE_OPTIONS = {
  backbone: stringOption(DEFAULT.name, `the frozen network: ${LAYER_BACKBONES.map(({ name }) => name).join(' or ')}`),
  contract: stringOption(
    '',
    `preprocessing contract; empty: that of the network, of ${DEFAULT.name} ${LAYERS_CONTRACT}`,
  ),
  weights: stringOption(
    '',
    'another weights file of a list of layers (.safetensors or Keras .h5); empty: the bundled ImageNet weights of VGG16',
  ),
} as const;

export interface NetworkRequest {
  readonly backbone: string;
  readonly contract: string;
  readonly weights: string;
}

/** The network of a name, with its contract. Throws OPTION_INVALID for an unknown name or contract. */
export async function frozenNetwork(
  { backbone, contract, weights }: NetworkRequest,
  _listener?: Listener,
): Promise<FrozenNetwork> {
  const layers = layerBackbone(backbone);
  if (layers === undefined) {
    const names = LAYER_BACKBONES.map(({ name }) => name);
    throw new PermafrostError(
      'OPTION_INVALID',
      `There is no backbone "${backbone}"${suggest(backbone, names)}. Choose one of: ${names.join(', ')}.`,
    );
  }
  return { backbone: layers, contract: contractNamed(contract || LAYERS_CONTRACT), weights };
}

/** What must be at hand to find the network of stored features. */
export interface NetworkSources {
  /** As `--weights` names it; '' or absent: the bundled weights. */
  readonly weights?: string | undefined;
}

/** The network that made the features of these settings. */
export async function networkOf(
  { backbone, contract }: Pick<FeatureSettings, 'backbone' | 'contract'>,
  { weights = '' }: NetworkSources,
): Promise<FrozenNetwork> {
  const layers = layerBackbone(backbone);
  if (layers === undefined)
    throw new PermafrostError(
      'OPTION_INVALID',
      `These features are of the network "${backbone}", which is not known here.`,
    );
  return { backbone: layers, contract, weights };
}
