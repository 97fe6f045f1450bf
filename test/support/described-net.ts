import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../src/core/digest.ts';
import { encodeOnnx } from '../../src/core/onnx-model.ts';
import { convNet, weights } from './onnx-files.ts';

/** Writes a small network with a description beside it into a folder; gives the file. Each seed has its own weights. */
export function describedNet(folder: string, name: string, seed: number): string {
  mkdirSync(folder, { recursive: true });
  const net = convNet();
  const initializers = net.initializers.map(({ name: tensor, shape }, i) =>
    weights(tensor, shape, 10 * seed + i, tensor === 'stem/w' ? 27 : 72),
  );
  const bytes = encodeOnnx({ ...net, initializers });
  const file = join(folder, `${name}.onnx`);
  writeFileSync(file, bytes);
  const description = {
    permafrost: 'backbone/1',
    name,
    graph: { file: `${name}.onnx`, sha256: sha256Hex(bytes), input: 'image', layout: 'NCHW', dtype: 'float32' },
    contract: {
      size: 16,
      geometry: 'squash',
      kernel: 'bilinear',
      orientation: 'exif',
      iccProfile: 'ignore',
      alpha: 'white',
      channelOrder: seed % 2 === 0 ? 'BGR' : 'RGB',
      mean: [127, 127, 127],
      scale: 1 / 64,
    },
    cuts: {},
  };
  writeFileSync(join(folder, 'backbone.json'), JSON.stringify(description));
  return file;
}
