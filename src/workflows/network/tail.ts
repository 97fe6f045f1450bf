import { PermafrostError } from '../../core/errors.ts';
import { matrix, row, type Matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import { generalisedMeans, type Pooling } from '../../core/sample.ts';
import type { BackboneWeights, LayerBackbone } from '../../extract/backbones/backbone.ts';
import { featureWidth, mapPooling, outputShape, type ActivationShape } from '../../extract/backbones/cut-layers.ts';
import { createTrainer } from '../../extract/engines/trainers.ts';
import type { Executable } from '../../extract/engines/engine.ts';
import { layerBefore, layersFrom } from '../../extract/weights/tuned-weights.ts';
import { cutsText, type CutRequest } from './cuts.ts';
import type { Dtype, FeatureTail } from '../../store/format/fingerprint.ts';
import { decodeFloat16, encodeFloat16, FLOAT16_MAX } from '../../store/format/float16.ts';

/** The engine class that tails run in, whatever ran the frozen part. */
export const TAIL_ENGINE = 'onnxruntime/cpu/fp32';
/** Images of one run of a tail. Shapes are static, so a single image costs what all of them do. */
const BATCH = 8;

/** The whole map is wanted, and of the dense layer, whose parameters stay zeros, nothing. */
const NO_HEAD = { pooling: 'flatten', norm: 'none', classes: 2 } as const;

/** The layers of a tuned network behind the cut, in float32. */
export interface Tail {
  /** Activations of the cut, shape (n, height * width * channels), to one matrix (n, width) a pooling. */
  run(maps: Matrix): Promise<readonly Matrix[]>;
  dispose(): Promise<void>;
}

/** Throws OPTION_INVALID where anything but the last layer of a tuned network is asked for. */
export function requireLastLayer(backbone: LayerBackbone, cuts: readonly CutRequest[]): void {
  const last = backbone.layers.at(-1)!.name;
  const [{ cut }, ...others] = cuts as [CutRequest, ...CutRequest[]];
  if (cut === last && others.length === 0) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `A tuned network gives features of its last layer, ${last}, and ${cutsText(cuts)} was asked for. Layers before the tuned ones are those of the weights that it began with: extract them without --backbone-file.`,
  );
}

/** Mean or maximum of each channel over the picture, from a map in NHWC order. */
function pooled(map: Float32Array, { channels }: ActivationShape, pooling: 'avg' | 'max', out: Float32Array): void {
  if (pooling === 'max') {
    out.set(map.subarray(0, channels));
    for (let i = channels, c = 0; i < map.length; i++, c = (c + 1) % channels) out[c] = Math.max(out[c]!, map[i]!);
    return;
  }
  const sums = new Float64Array(channels);
  for (let i = 0, c = 0; i < map.length; i++, c = (c + 1) % channels) sums[c]! += map[i]!;
  for (let c = 0; c < channels; c++) out[c] = (sums[c]! * channels) / map.length;
}

/** Loads the tail from `from` on of a network for squares of `size` pixels. Throws ENGINE_FAILED. */
export async function openTail(
  backbone: LayerBackbone,
  weights: BackboneWeights,
  { from }: Pick<FeatureTail, 'from'>,
  size: number,
  wanted: readonly Pooling[],
): Promise<Tail> {
  const last = backbone.layers.at(-1)!.name;
  const poolings = wanted.map((pooling) => mapPooling({ cut: last, pooling }));
  const layers = layersFrom(backbone, from);
  const input = outputShape(backbone, layerBefore(backbone, from)!, size);
  const trainer = await createTrainer('onnxruntime');
  const answers = await trainer.loadAnswers({ layers, input, batch: BATCH, head: NO_HEAD });
  for (const [name, values] of answers.parameters) {
    const tensor = weights.tensors.get(name);
    if (tensor !== undefined) values.set(tensor.data);
  }
  const shape = outputShape(backbone, layers.at(-1)!.name, size);
  const width = featureWidth(shape, 'flatten');
  // Batches share the arrays of the loaded tail.
  const inTurn = mutex();

  async function runNext(maps: Matrix): Promise<readonly Matrix[]> {
    const outputs = poolings.map((pooling) => matrix(maps.rows, featureWidth(shape, pooling)));
    for (let first = 0; first < maps.rows; first += BATCH) {
      const some = Math.min(BATCH, maps.rows - first);
      answers.x.set(maps.data.subarray(first * maps.cols, (first + some) * maps.cols));
      answers.x.fill(0, some * maps.cols);
      await answers.run();
      for (let i = 0; i < some; i++) {
        const map = answers.features.subarray(i * width, (i + 1) * width);
        for (const [p, pooling] of poolings.entries()) {
          const out = row(outputs[p]!, first + i);
          if (pooling === 'flatten') out.set(map);
          else if (pooling === 'gem') generalisedMeans(map, shape.channels, out);
          else pooled(map, shape, pooling, out);
        }
      }
    }
    return outputs;
  }

  return {
    run: (maps) => inTurn(() => runNext(maps)),
    dispose: () => inTurn(() => answers.dispose()),
  };
}

/** Activations as a store of that number type gives them back, in place. Throws FEATURE_OVERFLOW. */
function asStored(maps: Matrix, dtype: Dtype): Matrix {
  if (dtype === 'float32') return maps;
  const halves = new Uint16Array(maps.data.length);
  if (encodeFloat16(maps.data, halves) > 0) {
    throw new PermafrostError(
      'FEATURE_OVERFLOW',
      `Activations before the tuned layers exceed ${FLOAT16_MAX}, the largest float16, and the network was tuned on float16. Extract its cut with --dtype float32 and tune again.`,
    );
  }
  decodeFloat16(halves, maps.data);
  return maps;
}

/** The frozen part, its activations rounded as the tail's were when it was tuned, and the tail on top. */
export function withTail(frozen: Executable, tail: Tail, maps: Dtype): Executable {
  return {
    async run(pixels, count) {
      const [activations] = await frozen.run(pixels, count);
      return tail.run(asStored(activations!, maps));
    },
    async dispose() {
      await frozen.dispose();
      await tail.dispose();
    },
  };
}
