import { random } from '../../src/core/random.ts';
import { vgg16 } from '../../src/extract/backbones/vgg.ts';
import { CONTRACTS } from '../../src/extract/contract.ts';
import type { DenseHead } from '../../src/extract/training.ts';
import { loadWeights } from '../../src/extract/weights/load-weights.ts';
import { layerBefore, layersFrom } from '../../src/extract/weights/tuned-weights.ts';
import type { LayerTensors } from '../../src/store/read/layers-file.ts';
import type { Store } from '../../src/store/open.ts';
import { contentsOfTrain } from '../../src/workflows/train/trained-on.ts';
import type { TunedNetwork } from '../../src/workflows/finetune/tuned-network.ts';

/** What of a network that training might have made is to be another. */
export interface TunedPlan {
  readonly from?: string;
  readonly pooling?: DenseHead['pooling'];
  readonly norm?: DenseHead['norm'];
  readonly seed?: number;
}

/**
 * A network as training hands it over: its layers from `from` on are those of VGG16 with each value scaled by 1 plus
 * noise of up to a tenth, its dense layer is noise.
 */
export async function tunedNetwork(
  store: Store,
  { from = 'block5_conv3', pooling = 'avg', norm = 'l2', seed = 1 }: TunedPlan = {},
): Promise<TunedNetwork> {
  const source = random(seed);
  const base = await loadWeights({ backbone: vgg16 });
  const noise = (): number => (source.below(2001) - 1000) / 10_000;
  const arrays = new Map<string, Float32Array>();
  for (const { name } of layersFrom(vgg16, from).filter(({ kind }) => kind === 'conv')) {
    for (const tensor of [`${name}/kernel`, `${name}/bias`])
      arrays.set(
        tensor,
        base.tensors.get(tensor)!.data.map((value) => value * (1 + noise())),
      );
  }
  const samples = [...(await store.samples())];
  const classes = [...new Set(samples.map(({ label }) => label))].sort();
  const width = pooling === 'avg' ? 512 : 7 * 7 * 512;
  arrays.set('head/kernel', Float32Array.from({ length: width * classes.length }, noise));
  arrays.set('head/bias', Float32Array.from(classes, noise));
  const before = layerBefore(vgg16, from);
  return {
    backbone: vgg16,
    from,
    arrays,
    head: { pooling, norm, classes: classes.length },
    classes,
    base,
    contract: CONTRACTS.vgg16,
    cut: store.manifest.sets.find(({ settings }) => settings.cut === before && settings.view === undefined),
    recipe: { rate: 1e-4, batch: 32, seed },
    epochs: 4,
    notes: [],
    images: samples.filter(({ split }) => split === 'train').length,
    contents: await contentsOfTrain(store),
  };
}

/** The changed layers of a network as tensors. */
export function layersOfNetwork({ base, arrays }: TunedNetwork): LayerTensors {
  const layers = new Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>();
  for (const [name, { shape }] of base.tensors) {
    const data = arrays.get(name);
    if (data !== undefined) layers.set(name, { shape, data });
  }
  return layers;
}
