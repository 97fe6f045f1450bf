import type { Precision } from '../engine.ts';
import type { EngineName } from '../index.ts';
import type { Processor } from './processor.ts';

/** An engine on a device in a precision: what `--engine auto` chooses between. */
export interface Variant {
  readonly engine: EngineName;
  readonly device: string;
  readonly precision: Precision;
  /** Images of VGG16 a second as a multiple of onnxruntime's in fp32 on the same processor (docs/engines.md). */
  readonly speed: (processor: Processor) => number;
  /**
   * Taken only where its engine or device is asked for by name: it is slower than one that is always there, or the
   * device was never there to be measured.
   */
  readonly onlyAsked?: 'engine' | 'device';
  /** Taken unasked only where it was measured on this very processor to be worth it. */
  readonly onlyMeasured?: true;
  /** It has operators of its own for lists of layers, and runs no graphs. */
  readonly onlyLayers?: true;
}

/** A device that ONNX Runtime may have; none of them was there to be measured. */
const onDevice = (device: string): Variant => ({
  engine: 'onnxruntime',
  device,
  precision: 'fp32',
  speed: () => 1,
  onlyAsked: 'device',
});

/** What is always there, and what speeds are multiples of. */
export const REFERENCE: Variant = { engine: 'onnxruntime', device: 'cpu', precision: 'fp32', speed: () => 1 };

/** Every variant; the one that is always there comes last. */
export const VARIANTS: readonly Variant[] = [
  { engine: 'openvino', device: 'cpu', precision: 'int8', speed: ({ bf16 }) => (bf16 === 'amx_bf16' ? 14 : 4) },
  {
    engine: 'openvino',
    device: 'cpu',
    precision: 'bf16',
    speed: ({ bf16 }) => (bf16 === null ? 0.35 : bf16 === 'amx_bf16' ? 8 : 2.1),
  },
  { engine: 'openvino', device: 'cpu', precision: 'fp32', speed: () => 1.8 },
  { engine: 'onnxruntime', device: 'cpu', precision: 'int8', speed: () => 3.4 },
  {
    engine: 'onnxruntime-winograd',
    device: 'cpu',
    precision: 'fp32',
    speed: () => 1.6,
    onlyMeasured: true,
    onlyLayers: true,
  },
  ...['cuda', 'coreml', 'dml', 'webgpu'].map(onDevice),
  { engine: 'tfjs', device: 'gpu', precision: 'fp32', speed: () => 1, onlyAsked: 'engine', onlyLayers: true },
  { engine: 'tfjs', device: 'cpu', precision: 'fp32', speed: () => 0.9, onlyAsked: 'engine', onlyLayers: true },
  REFERENCE,
];

/** Names a variant, and the class of the features that it makes: `openvino/cpu/bf16`. */
export const engineClass = ({ engine, device, precision }: Record<'engine' | 'device' | 'precision', string>): string =>
  `${engine}/${device}/${precision}`;
