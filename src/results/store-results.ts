import type { EngineFacts } from './extract-result.ts';
import type { Failure, Pooling, Split } from '../core/sample.ts';
import type { CosineToFp32 } from '../extract/agreement.ts';
import type { MissingRows } from '../store/care/missing-rows.ts';
import type { DamagedFileResult, UnfinishedFile } from '../store/care/verify.ts';

export type { MissingRows } from '../store/care/missing-rows.ts';
export type { DamagedFileResult, UnfinishedFile } from '../store/care/verify.ts';

/** What a store holds. */
export interface InspectResult {
  readonly store: string;
  readonly version: number;
  readonly dataset: string;
  readonly images: number;
  readonly classes: readonly {
    readonly label: string;
    readonly splits: Readonly<Partial<Record<Split, number>>>;
  }[];
  readonly failed: readonly Failure[];
  readonly sets: readonly {
    readonly fingerprint: string;
    /** Whether the data set that was extracted last has its features there; and whether they are its primary ones. */
    readonly current: boolean;
    readonly primary: boolean;
    readonly backbone: string;
    /** Of an ONNX file alone: what the network is called, and where its file was last. */
    readonly network?: { readonly name: string; readonly file: string };
    readonly weights: string;
    readonly cut: string;
    readonly contract: Readonly<Record<string, unknown>>;
    readonly contractId: string;
    readonly dtype: string;
    readonly engine: EngineFacts;
    readonly cosineToFp32: CosineToFp32 | null;
    /** Of a tuned network: its first changed layer, and the digest of the weights that it began with; else null. */
    readonly tuned: { readonly from: string; readonly base: string } | null;
    readonly widths: Readonly<Record<'flatten' | 'avg' | 'max', number>>;
    /** Rows in each pooling that it holds; `rows` is the most of them. */
    readonly poolings: Readonly<Partial<Record<Pooling, number>>>;
    readonly rows: number;
    readonly shards: number;
    readonly bytes: number;
  }[];
  readonly bytes: number;
}

/** Whether every file of a store is what was written, and every set has the images that it must have. */
export interface VerifyResult {
  readonly store: string;
  readonly ok: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly damaged: readonly DamagedFileResult[];
  /** Sets that lack images of the data set; looked for where no file is damaged. */
  readonly missing: readonly MissingRows[];
  /** Files that grow, at whose end a killed process left something that it did not finish: no damage. */
  readonly unfinished: readonly UnfinishedFile[];
  /** Files that nothing refers to, left by a killed run: `gc` removes them. */
  readonly orphans: readonly string[];
}

/** What `repair` dropped, and how many images it extracted again. */
export interface RepairResult {
  readonly store: string;
  /** Damaged files that were dropped, removed or written anew. */
  readonly damaged: readonly DamagedFileResult[];
  /** Damaged files that were left as they are, as only their maker can make them again; `next` says what to do. */
  readonly left: readonly DamagedFileResult[];
  readonly lostRows: number;
  readonly extracted: number;
  /** What is left to do, where something is. */
  readonly next: string | null;
}

/** A store in the newest version. */
export interface MigrateResult {
  readonly store: string;
  /** The version that was found, and the one that the store has now. */
  readonly from: number;
  readonly to: number;
  /** What it holds, the same as before. */
  readonly sets: number;
  readonly shards: number;
  readonly rows: number;
  /** Shards that held labels and splits, and were written anew without them; their features are what they were. */
  readonly rewritten: number;
}

/** What `gc` removed, or with `dryRun` would remove. */
export interface GcResult {
  readonly store: string;
  readonly dryRun: boolean;
  readonly droppedRows: number;
  readonly droppedSets: number;
  readonly removedFiles: number;
  readonly removedBytes: number;
}
