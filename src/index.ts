/**
 * permafrost as a library: images flow through `extract` once, rest in a store, and leave through heads many times.
 * A command is a function: names, paths and options go in, a plain result comes out. `work.listener` hears what it
 * tells, `work.signal` stops it, and what cannot be done is a PermafrostError.
 *
 * @packageDocumentation
 */
// Commands.
export { run } from './workflows/run/run.ts';
export { extract } from './workflows/extract/extract.ts';
export { plan } from './workflows/machines/plan.ts';
export { extractPart } from './workflows/machines/part.ts';
export { parts } from './workflows/machines/parts.ts';
export { merge } from './workflows/machines/merge.ts';
export { extractOnQueue, type RunOnQueueWork } from './workflows/machines/queue/extract-on-queue.ts';
export { worker, type WorkerWork } from './workflows/machines/queue/worker.ts';
export { train } from './workflows/train/train.ts';
export { sweep, type SweepRequest, type SweepWork } from './workflows/sweep/sweep.ts';
export { finetune } from './workflows/finetune/finetune.ts';
export * from './workflows/classifier/classifier.ts';
export * from './workflows/predict/predict.ts';
export { neighbors } from './workflows/search/neighbors.ts';
export { check, type CheckOptions } from './workflows/check/check.ts';
export * from './workflows/export/index.ts';
export { writeReport as report } from './write-report.ts';
export { serveStudio as studio, type RunningStudio, type StudioOptions } from './studio/server/server.ts';
export { serve, type RunningService, type ServeOptions } from './serve/serve.ts';
export { inspect } from './workflows/care/inspect.ts';
export { verify } from './workflows/care/verify.ts';
export { repair } from './workflows/care/repair.ts';
export { gc } from './workflows/care/gc.ts';
export { migrate } from './workflows/care/migrate.ts';
export { backbone, type BackboneOptions } from './workflows/backbone/backbone.ts';
export { backbones, type BackboneAction, type BackbonesOptions } from './workflows/backbone/backbones.ts';
export { engines, type EngineAction } from './workflows/engines/engines.ts';
export { bench } from './workflows/engines/bench.ts';
export { doctor } from './workflows/engines/doctor.ts';
export { demo } from './workflows/run/demo.ts';
export type { Work } from './workflows/work.ts';
export type { Listener, Progress } from './core/listener.ts';

// Their options and results.
export type { ExtractOptions, RunOptions } from './workflows/extract/options.ts';
export type { OnQueueOptions, WorkerOptions } from './workflows/machines/queue/options.ts';
export type { MergeOptions, PartOptions, PartsOptions, PlanOptions } from './workflows/machines/options.ts';
export type { TrainOptions } from './workflows/train/options.ts';
export type { OneOrMore, SweepGrid, SweepGridFeatures, SweepGridHead } from './workflows/sweep/grid.ts';
export type { FinetuneOptions } from './workflows/finetune/options.ts';
export type { NeighborsOptions } from './workflows/search/neighbors-options.ts';
export type { ReportOptions } from './workflows/report/options.ts';
export type { GcOptions } from './workflows/care/gc-options.ts';
export type { BenchOptions } from './workflows/engines/bench-options.ts';
export type * from './results/index.ts';

// Stores: features on disk.
export { openStore, type Store } from './store/open.ts';
export type { MatrixRows, MemoryRoom, PickableRows, RowsRequest, StoredRows } from './store/read/rows.ts';
export type { StoredPart, WantedSet } from './store/read/stored-parts.ts';
export type { SplitCounts } from './store/read/samples.ts';
export type { LockRequest, StoreLock } from './store/write/lock.ts';
export { openRows, type RowAccess } from './store/read/access.ts';
export type { Manifest } from './store/format/manifest.ts';
export type { RowSource, SampleRows, StoredSample } from './store/format/shard.ts';

// Heads on features, nearest neighbours, and how good the answers are.
export { createHead, HEAD_NAMES, HEADS, loadHead, type HeadName, type HeadOptions } from './classify/heads/index.ts';
export type * from './classify/head.ts';
export { openHead, type OpenedHead } from './workflows/train/files/head-files.ts';
export type { TrainedContents } from './store/read/heads/trained-contents.ts';
export { applyNormalizer, fitNormalizer, type Normalization, type Normalizer } from './classify/normalize.ts';
export { exactIndex } from './classify/neighbors/exact.ts';
export type { Metric, NeighborIndex, Neighbors } from './classify/neighbors/neighbor-index.ts';
export * from './classify/evaluate/split.ts';
/** Figures of predictions: accuracy, log loss, confusion, intervals. */
export * as metrics from './classify/evaluate/metrics.ts';
export * from './classify/evaluate/calibration.ts';
export * from './classify/evaluate/paired-tests.ts';
export { stratifiedSigns } from './classify/evaluate/stratified-signs.ts';
export { learningCurve, type LabelledRows, type LearningPoint } from './classify/evaluate/learning-curve.ts';

// Contracts, pictures and engines: from image files to features.
export { CONTRACTS, contractId, type Contract, type Rgb } from './extract/contract.ts';
export { scanDataset, sourceOf, type Dataset } from './extract/dataset/dataset.ts';
export { decode, readHeader, type ImageHeader } from './extract/image/decode.ts';
export { applyView } from './extract/image/augment.ts';
export { VIEW_DEFAULTS, viewParameters, type ViewParameters, type ViewPlan } from './extract/image/view-parameters.ts';
export { extractFeatures, type InferredBatch, type PipelineEvent, type PipelineOptions } from './extract/pipeline.ts';
export * from './extract/backbones/vgg.ts';
export type * from './extract/backbones/backbone.ts';
export { loadWeights, type LoadedWeights, type LoadWeightsOptions } from './extract/weights/load-weights.ts';
export { createEngine, ENGINE_NAMES } from './extract/engines/index.ts';
export type * from './extract/engines/index.ts';
export type { GraphProgram, LayerProgram, Output, Program, Quantization } from './extract/program.ts';

// What all of them speak of.
export { matrix, row, selectRows, type Matrix } from './core/matrix.ts';
export { matrixRows, type Rows } from './core/rows.ts';
export type { Failure, FeaturePart, ImageFacts, Pooling, PoolingChoice, Sample, Split } from './core/sample.ts';
export { ERROR_CODES, PermafrostError, type ErrorCode } from './core/errors.ts';
