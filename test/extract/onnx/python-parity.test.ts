import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { measureCuts } from '../../../src/extract/onnx/probing/measure-cuts.ts';
import { readOnnxFile } from '../../../src/extract/onnx/read-onnx.ts';
import { featuresOf, patternPixels, rawContract } from '../../support/onnx-runs.ts';
import { sharedPath } from '../../support/shared.ts';

/** What ONNX Runtime gives from Python (make_features.py): float32 in base64, two images, by network and output. */
const golden = JSON.parse(readFileSync(new URL('features.json', import.meta.url), 'utf8')) as {
  readonly 'efficientnet-lite0': Readonly<Record<string, string>>;
  readonly 'squeezenet1.1': Readonly<Record<string, string>>;
};

const NETWORKS = [
  {
    name: 'efficientnet-lite0',
    path: fileURLToPath(new URL('../../../data/backbones/efficientnet-lite0/efficientnet-lite0.onnx', import.meta.url)),
    contract: { ...rawContract(224), mean: [127, 127, 127], scale: 1 / 128 },
  },
  {
    name: 'squeezenet1.1',
    path: sharedPath('models/squeezenet1.1.onnx'),
    contract: { ...rawContract(224), channelOrder: 'BGR', mean: [104.006, 116.669, 122.679] },
  },
] as const;

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
  }
  return product / Math.sqrt(aa * bb);
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

describe.each(NETWORKS)('$name', ({ name, path, contract }) => {
  it.skipIf(!existsSync(path))(
    'gives the features that ONNX Runtime gives from Python, of the same pixels',
    async () => {
      const file = await readOnnxFile(path);
      const probed = await measureCuts(file, { contract });
      expect(probed.defaultCut).toBe('features');
      const expected = Object.entries(golden[name]);
      const outputs = expected.map(([output]) => ({ cut: output.replace(/\/avg$/, ''), pooling: 'avg' as const }));
      const network = { file, probed, contract };
      const found = await featuresOf(network, outputs, patternPixels(2, 224));
      const turned = { ...contract, channelOrder: contract.channelOrder === 'RGB' ? 'BGR' : 'RGB' } as const;
      const wrong = await featuresOf({ ...network, contract: turned }, outputs, patternPixels(2, 224));
      for (const [output, base64] of expected) {
        const [ours, theirs] = [found.get(output)!.data, floats(base64)];
        expect(ours.length).toBe(theirs.length);
        const width = ours.length / 2;
        for (const from of [0, width]) {
          const part = theirs.subarray(from, from + width);
          // Two builds of one runtime: sums in float32 in another order, over at most 93 layers.
          expect(cosine(ours.subarray(from, from + width), part)).toBeGreaterThan(0.999999);
          expect(cosine(wrong.get(output)!.data.subarray(from, from + width), part)).toBeLessThan(0.9999);
        }
      }
    },
  );
});
