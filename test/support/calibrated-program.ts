import { calibrate, quantizationOf } from '../../src/extract/calibrate.ts';
import { layersUpTo } from '../../src/extract/backbones/cut-layers.ts';
import { randomPixels } from './tiny-backbone.ts';
import type { LayerProgram } from '../../src/extract/program.ts';

/**
 * The program with ranges found on `pixels`, uint8 NHWC (default: four images of random pixels), for engines of
 * precision int8.
 */
export async function calibratedProgram(program: LayerProgram, pixels?: Uint8Array): Promise<LayerProgram> {
  const { backbone, contract, outputs } = program;
  const { size } = contract;
  const deepest = Math.max(...outputs.map(({ cut }) => layersUpTo(backbone, cut).length)) - 1;
  const all = pixels ?? randomPixels(4, size, 1);
  const imageBytes = size * size * 3;
  const images = Array.from({ length: all.length / imageBytes }, (_, i) => ({
    sha256: i.toString(16).padStart(64, '0'),
    pixels: all.subarray(i * imageBytes, (i + 1) * imageBytes),
  }));
  const calibration = await calibrate({ ...program, cut: backbone.layers[deepest]!.name }, images);
  return { ...program, quantization: quantizationOf(calibration) };
}
