import {
  booleanOption,
  choiceOption,
  integerOption,
  numberOption,
  stringOption,
  type OptionsOf,
} from '../../core/options.ts';
import { THREADS_OPTION } from '../../extract/engines/engine.ts';

/** Options of `export --onnx`. */
export const EXPORT_ONNX_OPTIONS = {
  onnx: stringOption('', 'an ONNX file: from the pixels of an image of any size to probabilities, checked'),
  int8: booleanOption(
    false,
    'let the network compute on 8 bits, calibrated as the head was, or on its training images',
  ),
  fp16: booleanOption(false, 'keep large weights in 16 bits: half the bytes, computed in 32'),
  check: stringOption(
    '',
    'images to check the file on, a data set, where those of the store that the head was trained on are gone',
  ),
  unchecked: booleanOption(false, 'write the file unchecked, and say so in it'),
  maxDifference: numberOption(
    0,
    'largest difference of a probability of the file from what permafrost answers; above, nothing is written; 0: 0.001, with int8 of a head that was trained on other features 0.1',
    { min: 0, max: 1 },
  ),
  minAgreement: numberOption(
    1,
    'least share of the images for which the file has to give the same class as permafrost; below, nothing is written',
    { min: 0, max: 1 },
  ),
  runtime: choiceOption(
    ['auto', 'onnxruntime', 'openvino'],
    'auto',
    'what runs the file when it is checked; auto: ONNX Runtime, and OpenVINO too where it is installed',
  ),
  checkImages: integerOption(0, 'most images that the file is checked on; 0: all', { min: 0 }),
  threads: THREADS_OPTION,
  backboneFile: stringOption(
    '',
    'of a head on features of a tuned network: the file of that network, where neither the head nor its store has its layers',
  ),
  weights: stringOption('', 'the weights file that the head was trained with, where it was not the bundled one'),
} as const;
/** Options of `export --onnx`. @interface */
export type ExportOnnxOptions = OptionsOf<typeof EXPORT_ONNX_OPTIONS>;
