import { PermafrostError } from '../../core/errors.ts';
import type { Precision } from './engine.ts';
import { isLayerProgram, type Program } from '../program.ts';

/**
 * The program with its quantization in int8 and without in any other precision, so that the graph says what runs.
 * Throws OPTION_INVALID for int8 without a quantization.
 */
export function programInPrecision(program: Program, precision: Precision): Program {
  if (precision !== 'int8') {
    const { contract, outputs } = program;
    if (!isLayerProgram(program)) return { backbone: program.backbone, contract, outputs };
    return { backbone: program.backbone, weights: program.weights, contract, outputs };
  }
  if (program.quantization === undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      'int8 needs the ranges that calibration finds on training images, and this program has none. Calibrate first, or take fp32.',
    );
  }
  return program;
}
