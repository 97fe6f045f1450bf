import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { extract, openStore, predict, type Store } from '../../../src/index.ts';
import { row, type Matrix } from '../../../src/core/matrix.ts';
import { POOLINGS, type Pooling } from '../../../src/core/sample.ts';
import { vgg16 } from '../../../src/extract/backbones/vgg16.ts';
import { withLayers } from '../../../src/extract/weights/tuned-weights.ts';
import { createEngine } from '../../../src/extract/engines/index.ts';
import { openImage } from '../../../src/extract/image/open-image.ts';
import { readHead } from '../../../src/store/read/head-file.ts';
import { readManifest } from '../../../src/store/format/manifest.ts';
import { keepTuned } from '../../../src/workflows/finetune/keep-tuned.ts';
import type { KeptTuned, TunedNetwork } from '../../../src/workflows/finetune/tuned-network.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { stripedDataset } from '../../support/small-dataset.ts';
import { matricesOf } from '../../support/stores.ts';
import { tunedNetwork } from '../../support/tuned.ts';

const folder = temporaryFolders();
const engine = { engine: 'onnxruntime', precision: 'fp32' } as const;
let dataset: string;
let path: string;
let network: TunedNetwork;
let kept: KeptTuned;

/** Features of the whole tuned network in one piece, by the ordinary engine: shape (1, width). */
async function ofWholeNetwork({ base, arrays, contract }: TunedNetwork, file: string): Promise<Map<Pooling, Matrix>> {
  const layers = new Map(
    [...base.tensors].flatMap(([name, { shape }]) =>
      arrays.has(name) ? [[name, { shape, data: arrays.get(name)! }] as const] : [],
    ),
  );
  const outputs = POOLINGS.map((pooling) => ({ cut: 'block5_pool', pooling }));
  const program = { backbone: vgg16, weights: withLayers(base, layers), contract, outputs };
  const executable = await (await createEngine('onnxruntime')).load(program);
  const { pixels } = await openImage(readFileSync(file), contract);
  const found = await executable.run(await pixels, 1);
  await executable.dispose();
  return new Map(POOLINGS.map((pooling, i) => [pooling, found[i]!]));
}

/** The largest difference, as a share of the largest value. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let [most, largest] = [0, 0];
  a.forEach((value, i) => {
    most = Math.max(most, Math.abs(value - b[i]!));
    largest = Math.max(largest, Math.abs(value));
  });
  return most / largest;
}

beforeAll(async () => {
  dataset = await stripedDataset(join(folder(), 'Stripes'), 3, 2);
  path = join(folder(), 'store');
  await extract(dataset, { ...engine, store: path, cut: 'block5_conv2:flatten,block5_pool' });
  const store = await openStore(path);
  network = await tunedNetwork(store);
  kept = await keepTuned(store, network);
});

describe('keepTuned', () => {
  it('x', async () => {
    const manifest = await readManifest(path);
    console.log(
      kept,
      manifest.dataset,
      manifest.sets.map(({ shards, ...s }) => s),
    );
    const head = await readHead(kept.file);
    console.log(head.document);
    const store = (await openStore(path)).throughNetwork(kept.fingerprint!);
    const [{ X, samples }] = [...(await matricesOf(store, 'avg', ['val'])).values()] as never;
    const val = samples[0];
    const whole = await ofWholeNetwork(network, join(dataset, val.path));
    console.log(difference(row(X, 0), whole.get('avg')!.data));
    const r = await predict(kept.file, [join(dataset, val.path)]);
    console.log(JSON.stringify(r, null, 1));
  });
});
