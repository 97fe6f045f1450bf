import { random } from '../../src/core/random.ts';
import type { Layer } from '../../src/extract/backbones/backbone.ts';
import { tailShapes, sizeOf } from '../../src/extract/tail-shapes.ts';
import type { DenseHead, TailProgram } from '../../src/extract/training.ts';

/** All that a step reads: `x`, `y` and the parameters by name. */
export type TailValues = Map<string, Float32Array | Float64Array>;

interface Maps {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

function convolved(from: Maps, { name, filters }: Layer & { kind: 'conv' }, values: TailValues, batch: number): Maps {
  const { height, width, channels, data } = from;
  const kernel = values.get(`${name}/kernel`)!;
  const bias = values.get(`${name}/bias`)!;
  const out = new Float64Array(batch * height * width * filters);
  for (let n = 0; n < batch; n++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const to = ((n * height + y) * width + x) * filters;
        for (let f = 0; f < filters; f++) out[to + f] = bias[f]!;
        for (let tap = 0; tap < 9; tap++) {
          const [sy, sx] = [y + Math.floor(tap / 3) - 1, x + (tap % 3) - 1];
          if (sy < 0 || sx < 0 || sy >= height || sx >= width) continue;
          for (let c = 0; c < channels; c++) {
            const value = data[((n * height + sy) * width + sx) * channels + c]!;
            const taps = (tap * channels + c) * filters;
            for (let f = 0; f < filters; f++) out[to + f]! += value * kernel[taps + f]!;
          }
        }
        for (let f = 0; f < filters; f++) out[to + f] = Math.max(0, out[to + f]!);
      }
    }
  }
  return { height, width, channels: filters, data: out };
}

function halved({ height: h, width: w, channels, data }: Maps, batch: number): Maps {
  const [height, width] = [Math.floor(h / 2), Math.floor(w / 2)];
  const out = new Float64Array(batch * height * width * channels);
  out.forEach((_, i) => {
    const c = i % channels;
    const x = Math.floor(i / channels) % width;
    const y = Math.floor(i / channels / width) % height;
    const n = Math.floor(i / channels / width / height);
    const at = (dy: number, dx: number): number => data[((n * h + 2 * y + dy) * w + 2 * x + dx) * channels + c]!;
    out[i] = Math.max(at(0, 0), at(0, 1), at(1, 0), at(1, 1));
  });
  return { height, width, channels, data: out };
}

function pooledRows({ height, width, channels, data }: Maps, batch: number, { pooling }: DenseHead): Float64Array[] {
  const places = height * width;
  return Array.from({ length: batch }, (_, n) => {
    const map = data.subarray(n * places * channels, (n + 1) * places * channels);
    if (pooling === 'flatten') return map;
    const means = new Float64Array(channels);
    map.forEach((value, i) => (means[i % channels]! += value / places));
    return means;
  });
}

/** A tail by plain loops in float64: pooled features and logits, row by row, and the loss. */
export function naiveTail(
  program: TailProgram,
  values: TailValues,
): { readonly features: readonly Float64Array[]; readonly logits: readonly number[][]; readonly loss: number } {
  const { input, batch, head } = program;
  let maps: Maps = { ...input, data: Float64Array.from(values.get('x')!) };
  for (const layer of program.layers) {
    maps = layer.kind === 'conv' ? convolved(maps, layer, values, batch) : halved(maps, batch);
  }
  const features = pooledRows(maps, batch, head);
  const [kernel, bias, y] = ['head/kernel', 'head/bias', 'y'].map((name) => values.get(name)!);
  let loss = 0;
  const logits = features.map((row, n) => {
    const length = head.norm === 'l2' ? Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)) : 1;
    const z = Array.from(bias!, (start, k) =>
      row.reduce((sum, value, d) => sum + (value / length) * kernel![d * head.classes + k]!, start),
    );
    const top = Math.max(...z);
    const log = top + Math.log(z.reduce((sum, value) => sum + Math.exp(value - top), 0));
    z.forEach((value, k) => (loss += y![n * head.classes + k]! * (log - value)));
    return z;
  });
  return { features, logits, loss };
}

/** The derivative of the loss by one value of a parameter, from both sides in float64. */
export function finiteDifference(program: TailProgram, values: TailValues, parameter: string, at: number): number {
  const step = 1e-6;
  const changed = Float64Array.from(values.get(parameter)!);
  const moved: TailValues = new Map([...values, [parameter, changed]]);
  const value = changed[at]!;
  changed[at] = value + step;
  const above = naiveTail(program, moved).loss;
  changed[at] = value - step;
  return (above - naiveTail(program, moved).loss) / (2 * step);
}

/** Values that keep activations in size: normal inputs and kernels (He et al.), small biases; one-hot rows / batch. */
export function randomTailValues(program: TailProgram, seed: number): TailValues {
  const generator = random(seed);
  const { input, batch, head } = program;
  const normal = (shape: readonly number[], scale: number): Float32Array =>
    Float32Array.from({ length: sizeOf(shape) }, () => generator.normal() * scale);
  const values: TailValues = new Map();
  values.set('x', normal([batch, input.height, input.width, input.channels], 1));
  const y = new Float32Array(batch * head.classes);
  for (let n = 0; n < batch; n++) y[n * head.classes + (n % head.classes)] = 1 / batch;
  values.set('y', y);
  for (const [name, shape] of tailShapes(program)) {
    const fanIn = sizeOf(shape.slice(0, -1));
    values.set(name, normal(shape, shape.length === 1 ? 0.1 : Math.sqrt(2 / fanIn)));
  }
  return values;
}
