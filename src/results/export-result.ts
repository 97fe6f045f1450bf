import type { Failure, Split } from '../core/sample.ts';

/** How the answers of an exported file compare with permafrost's on some images, in one runtime. */
export interface ExportAgreement {
  /** What ran the file, such as `onnxruntime 1.30.0`. */
  readonly runtime: string;
  readonly images: number;
  /** Of those, how many have the same likeliest class. */
  readonly sameClass: number;
  /** The largest difference of a probability, and the image that has it. */
  readonly largestDifference: number;
  readonly worst: string;
  /** Images that one calls unknown and the other does not; null for heads without such a rule. */
  readonly differingUnknown: number | null;
}

/** What an exported file may differ by. */
export interface ExportBounds {
  /** The largest difference of a probability. */
  readonly maxDifference: number;
  /** The least share of the images with the same likeliest class. */
  readonly minAgreement: number;
}

/** What an exported file was checked on, and by which bounds. */
export interface ExportCheck extends ExportBounds {
  /** The store or data set, and its split where only one was taken. */
  readonly on: string;
  readonly split: Split | null;
  readonly runtimes: readonly ExportAgreement[];
  /** Images that could not be read, and were left out. */
  readonly failed: readonly Failure[];
}

/** An ONNX file that answers as a head does, from pixels to probabilities. */
export interface ExportOnnxResult {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly head: { readonly file: string; readonly name: string; readonly classes: readonly string[] };
  readonly precision: 'fp32' | 'fp16' | 'int8';
  readonly opset: number;
  /** Operator sets beside the standard's own that the network brings. */
  readonly domains: readonly string[];
  readonly input: string;
  readonly outputs: readonly string[];
  /** Null where it was asked for without a check. */
  readonly check: ExportCheck | null;
  readonly notes: readonly string[];
}

/** A folder that any web server can serve: a page that classifies images in the browser. */
export interface ExportWebResult {
  readonly folder: string;
  readonly title: string;
  /** What a browser loads in all, and how much of that is the runtime: the model is most of the rest. */
  readonly bytes: number;
  readonly runtimeBytes: number;
  readonly files: number;
  /** When the page calls an image unusual; null for a head without such a rule. */
  readonly unusual: { readonly measure: string; readonly threshold: number; readonly rate: number } | null;
  /** The ONNX file in it. */
  readonly model: ExportOnnxResult;
}
