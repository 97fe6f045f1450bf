import {
  booleanOption,
  choiceOption,
  integerOption,
  numberOption,
  stringOption,
  type OptionsOf,
} from '../../core/options.ts';
import { DEVICES } from '../../extract/engines/engine.ts';
import { LABELS_OPTION } from '../network/labels-option.ts';
import { memoryOption } from '../memory.ts';

/** Engines that train. */
export const TRAINING_ENGINES = ['onnxruntime', 'openvino', 'tfjs'] as const;

/** Options of `finetune`. Those whose default is 0 or empty have that of the recipe (recipe.ts). */
export const FINETUNE_OPTIONS = {
  from: stringOption(
    'block5_conv1',
    'the first trained layer, a convolution: it and all layers behind it are trained; block1_conv1: the whole network',
  ),
  labels: LABELS_OPTION,
  recipe: choiceOption(
    ['warm-start', 'report-2020'],
    'warm-start',
    'warm-start: from the exact frozen head, rate and epochs chosen on a held-out part of Train; report-2020: Flatten and a dense softmax from random weights, one rate, fixed epochs',
  ),
  rates: stringOption(
    '',
    'learning rates of the layers, with commas between them: each is tried; empty: 1e-4,3e-5 (report-2020: 3e-5)',
  ),
  headRate: numberOption(0, 'learning rate of the dense layer; 0: 3e-3 (report-2020: 1e-4)', { min: 0 }),
  epochs: integerOption(0, 'most epochs; 0: 4 (report-2020: 5)', { min: 0, max: 10_000 }),
  batch: integerOption(32, 'images of a step', { min: 1, max: 4096 }),
  minutes: numberOption(
    0,
    'minutes that training may take, what is extracted for it apart: rates and epochs that have no room, by the time of the first steps, are left out, and that is said; 0: no limit',
    { min: 0 },
  ),
  microBatch: integerOption(
    0,
    'images of one run of the network, whose gradients are added up to a step; 0: as many as fit 2 GB and the memory',
    { min: 0, max: 4096 },
  ),
  l2Sp: numberOption(
    0,
    'L2-SP: how strongly each step pulls the layers back to where they began, as a multiple of the learning rate; 0: not',
    { min: 0 },
  ),
  labelSmoothing: numberOption(0, 'share of each target that is spread evenly over all classes', { min: 0, max: 0.9 }),
  views: integerOption(
    0,
    'augmented views of each training image (extract --views): each epoch draws the image or one of them',
    { min: 0, max: 1000 },
  ),
  seed: integerOption(1, 'seed of the held-out part, the order of the images, the views and a cold start', {
    min: 0,
    max: 2 ** 31 - 1,
  }),
  engine: choiceOption(
    ['auto', ...TRAINING_ENGINES],
    'auto',
    'what trains, in float32; auto: onnxruntime; what is frozen runs on the engine of the stored features',
  ),
  device: choiceOption(
    ['auto', ...DEVICES],
    'auto',
    'where it trains; auto: cpu (tfjs: the GPU where TensorFlow sees one); a device that cannot is an error',
  ),
  weights: stringOption('', 'the weights file that the store was extracted with, where it was not the bundled one'),
  memory: memoryOption('memory that training may take'),
  restart: booleanOption(false, 'begin anew where an interrupted fine-tuning of the same settings could go on'),
  features: booleanOption(true, "bring the tuned network's features of the stored images into the store"),
  out: stringOption('', "the head file; empty: in the store's folder heads, named by what it is"),
} as const;
/** Options of `finetune`. @interface */
export type FinetuneOptions = OptionsOf<typeof FINETUNE_OPTIONS>;
