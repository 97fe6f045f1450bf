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

/** Names a variant: `openvino/cpu/bf16`. */
export const engineClass = ({ engine, device, precision }: Record<'engine' | 'device' | 'precision', string>): string =>
  `${engine}/${device}/${precision}`;

/** Variables by which oneDNN takes other kernels, whose results differ in their last places or more. */
const ONEDNN_VARIABLES = ['MAX_CPU_ISA', 'CPU_ISA_HINTS', 'DEFAULT_FPMATH_MODE'].flatMap((name) => [
  `ONEDNN_${name}`,
  `DNNL_${name}`,
]);
const KERNEL_VARIABLES: Readonly<Record<string, readonly string[]>> = {
  openvino: ONEDNN_VARIABLES,
  tfjs: [...ONEDNN_VARIABLES, 'TF_ENABLE_ONEDNN_OPTS'],
};
/** Their values that change nothing. */
const NO_EFFECT: ReadonlySet<string> = new Set(['', 'ALL', 'DEFAULT', 'NO_HINTS', 'STRICT']);

/**
 * The class of the features that a variant makes: its name, and what of the environment chooses its kernels, as in
 * `openvino/cpu/fp32/ONEDNN_MAX_CPU_ISA=AVX512_CORE`.
 */
export function featureClass(
  variant: Record<'engine' | 'device' | 'precision', string>,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const set = (KERNEL_VARIABLES[variant.engine] ?? []).flatMap((name) => {
    const value = (env[name] ?? '').toUpperCase();
    return NO_EFFECT.has(value) ? [] : [`${name}=${value}`];
  });
  return [engineClass(variant), ...(set.length === 0 ? [] : [set.join(',')])].join('/');
}

/** The variants that make features of these classes in this environment, by their names. */
export const variantsOf = (classes: readonly string[]): readonly string[] =>
  classes.flatMap((one) => VARIANTS.filter((variant) => featureClass(variant) === one).map(engineClass));
