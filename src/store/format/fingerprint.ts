import type { Contract } from '../../core/contract.ts';
import { canonicalJson, differences, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';

export const DTYPES = ['float16', 'float32'] as const;
export type Dtype = (typeof DTYPES)[number];

/** All that decides a feature's value, except the image's own bytes. */
export interface FeatureSettings {
  /** The name of a list of layers, or `onnx`. */
  readonly backbone: string;
  /** Digest of the backbone's weights: of a graph that of its file. */
  readonly weights: string;
  readonly cut: string;
  readonly contract: Contract;
  /** Number type of stored maps (pooling flatten); pooled features are float32, taken before any rounding. */
  readonly dtype: Dtype;
  /** Engine, device, precision. One class agrees to the last digits, two classes within a tolerance. */
  readonly engineClass: string;
  /** Digest of the calibration of int8 features; absent for other precisions. */
  readonly calibration?: string | undefined;
  /** Which augmented view of each image; absent for the images themselves. */
  readonly view?: FeatureView | undefined;
  /** Of graphs alone: how the file was read, where that is more than what stands in it. */
  readonly graph?: GraphSettings | undefined;
  /** Of a fine-tuned network: which of its layers ran by themselves, and on what; `engineClass` ran those before. */
  readonly tail?: FeatureTail | undefined;
}

/** What decides features of a graph beside its bytes. */
export interface GraphSettings {
  /** Order of the input's axes. */
  readonly layout: 'NCHW' | 'NHWC';
  /** Of cuts that are lists of tokens: how many of the first are no patches. */
  readonly prefix?: number;
}

/** Layers behind a cut that ran in float32 on the activations of that cut, which are rounded as they are stored. */
export interface FeatureTail {
  /** The first of them; the cut is the layer before it. */
  readonly from: string;
  /** Number type of the activations. */
  readonly maps: Dtype;
  readonly engineClass: string;
}

/** What decides the look of a view, beside the image's own bytes (docs/views.md). */
export interface FeatureView {
  /** How views are made; changes whenever the same plan and seed would give other bytes. */
  readonly recipe: string;
  readonly seed: number;
  /** How far views go, by name. */
  readonly plan: Readonly<Record<string, number | boolean>>;
  /** 1 and up. */
  readonly number: number;
}

/** The first 16 hex digits of the SHA-256 over the settings: names the set of features made under them. */
export function fingerprintOf(settings: FeatureSettings): string {
  return sha256Hex(canonicalJson(settings)).slice(0, 16);
}

/** Fields in which `found` differs from `expected`, as `field: found, not expected`; the stored dtype may differ. */
export function differingSettings(expected: FeatureSettings, found: FeatureSettings): string[] {
  return differences({ ...found, dtype: '' }, { ...expected, dtype: '' });
}

/** Throws FINGERPRINT_MISMATCH naming each field of differingSettings. */
export function requireSameSettings(what: string, expected: FeatureSettings, found: FeatureSettings): void {
  const differing = differingSettings(expected, found);
  if (differing.length > 0) {
    throw new PermafrostError(
      'FINGERPRINT_MISMATCH',
      `${what} does not fit: ${differing.join('; ')}. Features of different settings cannot be mixed; extract again with the settings of the head, or train a head on these features.`,
    );
  }
}
