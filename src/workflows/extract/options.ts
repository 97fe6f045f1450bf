import {
  booleanOption,
  choiceOption,
  defaultsOf,
  integerOption,
  numberOption,
  stringOption,
  type OptionsOf,
} from '../../core/options.ts';
import { IMAGE_TIMEOUT_MS } from '../../extract/image/isolated/limits.ts';
import { VIEW_OPTIONS } from '../../extract/image/view-parameters.ts';
import { DTYPES } from '../../store/format/fingerprint.ts';
import { BACKBONE_OPTIONS } from '../network/backbone-options.ts';
import { ENGINE_OPTIONS } from '../network/engine-options.ts';
import { memoryOption } from '../memory.ts';
import { PROBE_OPTION, REJECT_OPTION } from '../train/options.ts';

/** Options of `extract` and `run`; the command line, its help and the checks read this table. */
export const EXTRACT_OPTIONS = {
  store: stringOption('', "folder of the store; empty: the data set's name with .permafrost, in the current folder"),
  labels: stringOption(
    '',
    'a .csv or .jsonl of path (relative to the data set), label and perhaps split that count instead of the folders',
  ),
  cut: stringOption(
    '',
    "cut layers whose features are kept, from one pass, each with its poolings or in flatten, avg and max: block3_pool:avg,block4_pool:avg+max,block5_pool; empty: the network's last (of VGG16 block5_pool)",
  ),
  ...BACKBONE_OPTIONS,
  backbone: stringOption(
    BACKBONE_OPTIONS.backbone.default,
    `${BACKBONE_OPTIONS.backbone.describe}; several with commas between them go into one store, the first being the primary one`,
  ),
  dtype: choiceOption(DTYPES, 'float16', 'number type of the stored maps (pooled features are float32 always)'),
  ...ENGINE_OPTIONS,
  minCosine: numberOption(
    0.98,
    'refuse int8 features whose cosine to fp32 falls below this on any of the (at most 16) images that it is measured on',
    { min: -1, max: 1 },
  ),
  batch: integerOption(8, 'images an inference', { min: 1, max: 1024 }),
  imageTimeoutMs: integerOption(
    IMAGE_TIMEOUT_MS,
    'milliseconds that one image may take to decode; one that takes longer is a failure and the run goes on',
    { min: 100, max: 3_600_000 },
  ),
  backboneFile: stringOption(
    '',
    'the file of a tuned network (permafrost finetune) whose features are wanted, of a data set or of the images of a store',
  ),
  verify: booleanOption(false, 'read and hash every image again, also those whose size and times are as they were'),
  maxFailures: integerOption(-1, 'give up when more images than this fail; -1: never', { min: -1 }),
  shardMegabytes: integerOption(64, 'size of a shard of maps in MiB: what a killed run loses at most', {
    min: 1,
    max: 256,
  }),
  valFraction: numberOption(
    0.25,
    'part of the images to validate on, drawn by their content, where the data set names no splits',
    { above: 0, max: 0.9 },
  ),
  resplit: booleanOption(
    false,
    'draw anew what is held out, where the data set names no splits; else images that the store has keep their side',
  ),
  views: integerOption(
    0,
    'augmented views of each training image to extract too, for heads to train on; validation images have none',
    { min: 0, max: 1000 },
  ),
  viewSeed: integerOption(1, 'seed of the views', { min: 0, max: 2 ** 31 - 1 }),
  ...VIEW_OPTIONS,
  seed: integerOption(1, 'seed of all other randomness', { min: 0, max: 2 ** 31 - 1 }),
} as const;
/** Options of `extract`. @interface */
export type ExtractOptions = OptionsOf<typeof EXTRACT_OPTIONS>;
export const EXTRACT_DEFAULTS: ExtractOptions = defaultsOf(EXTRACT_OPTIONS);

export const RUN_OPTIONS = {
  ...EXTRACT_OPTIONS,
  allHeads: booleanOption(false, 'also train the heads that take minutes (ml-logistic)'),
  memory: memoryOption('memory that training the heads may take; features that need more are read in streams'),
  reject: REJECT_OPTION,
  probeImages: PROBE_OPTION,
  answers: booleanOption(false, 'keep every head, with a table of its answers to each image, and not the best alone'),
  strategies: booleanOption(
    false,
    'also try the four strategies of the 2020 report side by side: head only, all layers retrained, early layers frozen, layers as features',
  ),
  strategiesMinutes: numberOption(
    3.75,
    'minutes that the trainings of --strategies may take, extraction not counted: what has no room is shortened or left out, which is said',
    { above: 0 },
  ),
} as const;
/** Options of `run`: those of `extract`, and those of the heads. @interface */
export type RunOptions = OptionsOf<typeof RUN_OPTIONS>;
export const RUN_DEFAULTS: RunOptions = defaultsOf(RUN_OPTIONS);
