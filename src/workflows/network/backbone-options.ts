import { stringOption } from '../../core/options.ts';
import { BUNDLED_GRAPHS } from '../../extract/backbones/bundled-graphs.ts';
import { LAYER_BACKBONES } from '../../extract/backbones/vgg.ts';
import { CONTRACT_NAMES, type ContractName } from '../../extract/contract.ts';

const [DEFAULT] = LAYER_BACKBONES;
/** The networks that have a name. */
export const BACKBONE_NAMES = [...LAYER_BACKBONES.map(({ name }) => name), ...BUNDLED_GRAPHS];
/** The contract of lists of layers, where none is named. */
export const LAYERS_CONTRACT: ContractName = CONTRACT_NAMES[0]!;

/**
 * What the fast backbone that comes along would take, as measured (docs/backbones.md): 18.7 ms of processor time an
 * image where the default takes 324.6, both in float32 on ONNX Runtime.
 */
export const FASTER_BACKBONE = `${BUNDLED_GRAPHS[0]} takes about 1/17 of the processor time of ${DEFAULT.name} (measured elsewhere, ONNX Runtime in float32; docs/backbones.md): --backbone ${BUNDLED_GRAPHS[0]}.`;

/** The file of a plan's network, where it lies elsewhere on the machine that works on it. */
export const PLANNED_WEIGHTS =
  "the weights file or ONNX file of the plan's network, where it lies elsewhere on this machine";

/** Which network, for every command that runs one of the user's choice. */
export const BACKBONE_OPTIONS = {
  backbone: stringOption(DEFAULT.name, `the frozen network: ${BACKBONE_NAMES.join(', ')}, or an ONNX file`),
  contract: stringOption(
    '',
    `preprocessing contract: ${CONTRACT_NAMES.join(', ')}, of an ONNX file also a preset or a file that describes it; empty: that of the network, of VGG16 and VGG19 ${LAYERS_CONTRACT}`,
  ),
  weights: stringOption(
    '',
    'another weights file of VGG16 or VGG19 (.safetensors or Keras .h5); empty: the bundled ImageNet weights, of VGG16 alone',
  ),
} as const;
