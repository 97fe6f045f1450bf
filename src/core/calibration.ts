import { canonicalJson, sha256Hex } from './digest.ts';

/** What int8 needs to know of the activations, as it is stored: the ranges and how they were found. */
export interface Int8Calibration {
  /** How it was made; see calibrate(). */
  readonly method: string;
  /** Lower-case hex SHA-256 of the images' files, in the order in which they were looked at. */
  readonly images: readonly string[];
  /** Smallest and largest value of each layer's output, by layer name. */
  readonly ranges: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  /** Of graphs: the mean of each channel of the tensors that are multiplied by weights, by their names. */
  readonly means?: Readonly<Record<string, readonly number[]>> | undefined;
}

/** Lower-case hex SHA-256 over all of a calibration: a part of the fingerprint of int8 features. */
export function calibrationDigest(calibration: Int8Calibration): string {
  return sha256Hex(canonicalJson(calibration));
}
