import type { EngineFacts } from './extract-result.ts';
import type { Failure } from '../core/sample.ts';

/** The runtimes that can be added, as they are after the action. */
export interface EnginesResult {
  readonly action: 'list' | 'add' | 'remove';
  /** The engine that the action was about; null for list. */
  readonly engine: string | null;
  readonly engines: readonly {
    readonly engine: string;
    readonly describe: string;
    readonly installed: boolean;
    readonly version: string | null;
    readonly path: string | null;
    readonly origin: 'added' | 'found' | null;
    readonly problem: string | null;
  }[];
}

/** The engines measured on a few images, each in processes of its own. */
export interface BenchResult {
  /** Where the images are from. */
  readonly source: string;
  readonly images: readonly string[];
  readonly failed: readonly Failure[];
  /** Absent for the default one. */
  readonly backbone?: string;
  readonly contract: string;
  readonly cut: string;
  readonly machine: { readonly model: string; readonly cores: number };
  readonly rounds: number;
  /** What the cosines are taken to: engine, device and precision. */
  readonly reference: string | null;
  readonly variants: readonly BenchVariant[];
}

/** One engine, device and precision with its figures. */
export interface BenchVariant {
  readonly engine: string;
  readonly device: string;
  readonly precision: string;
  /** The figures; null where it was not measured: `problem` says why. */
  readonly measured: {
    readonly version: string;
    /** Inference alone: the median of the rounds, each of which is the median of its repetitions. */
    readonly imagesPerSecond: number;
    readonly perRound: readonly number[];
    /** Processor time an image, all cores together, the least of the rounds: what a busy machine disturbs least. */
    readonly cpuMsPerImage: number;
    /** Peak resident memory of the process, the largest of the rounds. */
    readonly peakMiB: number;
    /** Between an image's flattened map and that of the reference. */
    readonly cosineLeast: number;
    readonly cosineMean: number;
  } | null;
  readonly problem: string | null;
}

/** What permafrost finds on this machine: packages, weights, and what each engine can do here. */
export interface DoctorResult {
  readonly permafrost: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: {
    readonly model: string;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Its best unit for bf16; null where it has none, or it is not known or hidden by ONEDNN_MAX_CPU_ISA. */
    readonly bf16: string | null;
  };
  readonly packages: readonly {
    readonly name: string;
    readonly version: string | null;
    readonly works: boolean;
    readonly needed: string;
    readonly problem: string | null;
  }[];
  /** Of the default network. */
  readonly weights: {
    readonly backbone: string;
    readonly ok: boolean;
    readonly digest: string | null;
    readonly problem: string | null;
  };
  /** What a faster backbone would take, in words. */
  readonly fasterBackbone?: string;
  /** What `--engine auto` picks for a new store, why, and what would be faster; null where nothing runs. */
  readonly engine: (EngineFacts & { readonly why: string; readonly faster: readonly string[] }) | null;
  /** Every engine, device and precision. */
  readonly engines: readonly {
    readonly engine: string;
    readonly device: string;
    readonly precision: string;
    readonly version: string | null;
    readonly chosen: boolean;
    /** Expected images a second, as a multiple of onnxruntime's in fp32. */
    readonly speed: number;
    /**
     * The least cosine of the default features to those of onnxruntime in fp32 on a generated picture, and the bound
     * that it keeps; null for that engine itself, for int8, which is checked with its calibration, and where a problem
     * stands.
     */
    readonly agreement: { readonly cosine: number; readonly expected: number } | null;
    /** Why it does not run here, or why it is refused; null where it is used. */
    readonly problem: string | null;
  }[];
}
