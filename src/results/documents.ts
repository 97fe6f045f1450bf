import type { ErrorCode } from '../core/errors.ts';
import type { NeighborsResult, PredictResult } from './answer-results.ts';
import type { BackboneResult, BackbonesResult } from './backbone-results.ts';
import type { CheckResult } from './check-result.ts';
import type { BenchResult, DoctorResult, EnginesResult } from './engine-results.ts';
import type { ExportOnnxResult, ExportWebResult } from './export-result.ts';
import type { TableExportResult } from './export-table-result.ts';
import type { ExtractResult } from './extract-result.ts';
import type { FinetuneResult } from './finetune-result.ts';
import type { HeadResult, RunResult } from './head-result.ts';
import type { MergeResult, PartResult, PartsResult, PlanResult } from './machines-result.ts';
import type { FilledResult, QueueProgress, WorkedUnit, WorkerResult } from './queue-result.ts';
import type { ReportResult } from './report-data.ts';
import type { ServeResult } from './serve-result.ts';
import type { GcResult, InspectResult, MigrateResult, RepairResult, VerifyResult } from './store-results.ts';
import type { SweepResult } from './sweep-result.ts';

/** What an extraction on a queue prints as it goes on, a document a line. */
export type QueueEvent =
  | ({ readonly event: 'filled' } & FilledResult)
  | ({ readonly event: 'progress' } & QueueProgress)
  | ({ readonly event: 'merged' } & MergeResult);

/** What a worker prints, a document a line: one for each unit, then one for the whole. */
export type WorkerEvent = ({ readonly event: 'unit' } & WorkedUnit) | ({ readonly event: 'end' } & WorkerResult);

/** Where the studio is, once it runs. */
export interface StudioStarted {
  readonly store: string;
  /** With the token that lets a browser in. */
  readonly address: string;
  readonly port: number;
}

/** What each command prints with `--json`. docs/schema has a JSON schema of each. */
export interface Documents {
  readonly run: RunResult;
  readonly extract: ExtractResult | PartResult | QueueEvent;
  readonly plan: PlanResult;
  readonly parts: PartsResult;
  readonly merge: MergeResult;
  readonly worker: WorkerEvent;
  readonly train: HeadResult;
  readonly sweep: SweepResult;
  readonly finetune: FinetuneResult;
  readonly predict: PredictResult;
  readonly neighbors: NeighborsResult;
  readonly export: ExportOnnxResult | ExportWebResult | TableExportResult;
  readonly check: CheckResult;
  readonly report: ReportResult;
  readonly studio: StudioStarted;
  readonly serve: ServeResult;
  readonly inspect: InspectResult;
  readonly verify: VerifyResult;
  readonly repair: RepairResult;
  readonly gc: GcResult;
  readonly migrate: MigrateResult;
  readonly backbone: BackboneResult;
  readonly backbones: BackbonesResult;
  readonly engines: EnginesResult;
  readonly bench: BenchResult;
  readonly doctor: DoctorResult;
  readonly demo: RunResult;
}

/** The name of a command. */
export type CommandName = keyof Documents;

/** What any command prints with `--json` in place of its document, or after those of a stream, where it fails. */
export interface ErrorDocument {
  readonly error: {
    /** `INTERNAL` where the fault is permafrost's own. */
    readonly code: ErrorCode | 'INTERNAL';
    readonly message: string;
  };
}
