// Use cases: one call each, names and paths in, plain results out.
export { extract } from './workflows/extract/extract.ts';
export type { Work } from './workflows/work.ts';

export {
  EXTRACT_DEFAULTS,
  EXTRACT_OPTIONS,
  RUN_DEFAULTS,
  RUN_OPTIONS,
  type ExtractOptions,
  type RunOptions,
} from './workflows/extract/options.ts';
export { run } from './workflows/run/run.ts';
export { RUN_HEADS } from './workflows/run/tasks.ts';

export { train } from './workflows/train/train.ts';
export { TRAIN_DEFAULTS, TRAIN_OPTIONS, type TrainOptions } from './workflows/train/options.ts';

export { sweep, type SweepRequest, type SweepWork } from './workflows/sweep/sweep.ts';
export { DEFAULT_GRID } from './workflows/sweep/default-grid.ts';

export type { SweepGrid, SweepGridHead } from './workflows/sweep/grid.ts';
export { SWEEP_DEFAULTS, SWEEP_OPTIONS, type SweepOptions } from './workflows/sweep/options.ts';

export { predict } from './workflows/search/predict.ts';
export {
  PREDICT_DEFAULTS,
  PREDICT_OPTIONS,
  type PredictOptions,
} from './workflows/search/predict-options.ts';
export { neighbors } from './workflows/search/neighbors.ts';
export {
  NEIGHBORS_DEFAULTS,
  NEIGHBORS_OPTIONS,
  type NeighborsOptions,
} from './workflows/search/neighbors-options.ts';
export { migrate } from './workflows/care/migrate.ts';
export { inspect } from './workflows/care/inspect.ts';

export { doctor } from './workflows/engines/doctor.ts';
export { bench } from './workflows/engines/bench.ts';

export { BENCH_DEFAULTS, BENCH_OPTIONS, type BenchOptions } from './workflows/engines/bench-options.ts';
export { engines } from './workflows/engines/engines.ts';

export { openHead, saveHead, type OpenedHead } from './workflows/train/head-files.ts';
export type * from './results/answer-results.ts';

export type * from './results/check-result.ts';
export type * from './results/engine-results.ts';

export type * from './results/extract-result.ts';
export type * from './results/head-result.ts';

export type * from './core/listener.ts';
export type * from './results/store-results.ts';

export type * from './results/sweep-result.ts';

// Extraction: images to features.
export { scanDataset, type Dataset } from './extract/dataset/dataset.ts';
export { CONTRACTS, contractId } from './extract/contract.ts';

export type { Contract } from './core/contract.ts';
export { decode, readHeader, type ImageHeader } from './extract/image/decode.ts';

export { calibrate, quantizationOf, type CalibrationTarget } from './extract/calibrate.ts';
export type { Calibration } from './core/calibration.ts';

export { applyView } from './extract/image/augment.ts';
export {
  VIEW_DEFAULTS,
  VIEW_OPTIONS,
  viewParameters,
  viewSettings,
  type ViewParameters,
  type ViewPlan,
  type ViewSettings,
} from './extract/image/view-parameters.ts';
export { extractFeatures, type PipelineEvent, type PipelineOptions } from './extract/pipeline.ts';
export { vgg16 } from './extract/backbones/vgg16.ts';

export type { Backbone, BackboneWeights } from './extract/backbones/backbone.ts';
export { loadWeights, type LoadWeightsOptions } from './extract/weights/load-weights.ts';

export { createEngine, ENGINE_NAMES } from './extract/engines/index.ts';
export type { Engine, Executable } from './extract/engines/engine.ts';

// The store: features to and from disk.
export { readManifest, type Manifest } from './store/format/manifest.ts';
export { loadFeatures, readSamples, type LoadedFeatures } from './store/read/reader.ts';

export { openRows, type RowAccess } from './store/read/access.ts';
export type { StoredSample } from './store/format/shard.ts';

export type { FeatureSettings } from './store/format/fingerprint.ts';

// Heads, neighbours and figures.
export { createHead, HEADS, HEAD_NAMES, loadHead } from './classify/heads/index.ts';
export type { FitContext, FittedHead, Head, HeadState } from './classify/head.ts';

export { applyNormalizer, fitNormalizer, type Normalizer } from './classify/normalize.ts';
export { exactIndex } from './classify/neighbors/exact.ts';

export type { ExactOptions } from './classify/neighbors/row-search.ts';
export { hnswIndex, type HnswOptions } from './classify/neighbors/hnsw.ts';

export { measureRecall } from './classify/neighbors/recall.ts';
export type { NeighborIndex, Neighbors } from './classify/neighbors/neighbor-index.ts';

export { stratifiedKFold, stratifiedSplit } from './classify/evaluate/split.ts';
export * as metrics from './classify/evaluate/metrics.ts';

export {
  applyTemperature,
  expectedCalibrationError,
  fitTemperature,
} from './classify/evaluate/calibration.ts';
export { auroc } from './classify/evaluate/auroc.ts';
export {
  chooseReject,
  type NoReject,
  type RejectChoice,
  type RejectTask,
} from './classify/novelty/choose-reject.ts';
export { detectUnknown, type Reject } from './classify/novelty/reject.ts';
export { rejectThreshold } from './classify/novelty/reject-threshold.ts';

export { MEASURES, noveltyScores, referenceOf, type Measure } from './classify/novelty/novelty-score.ts';
export { mcNemar, pairedBootstrap } from './classify/evaluate/paired-tests.ts';

export { learningCurve } from './classify/evaluate/learning-curve.ts';
export { designForOne, designOf } from './classify/solvers/choose-design.ts';

export type { Design } from './classify/solvers/design.ts';
export { fitLinear, linearWeights } from './classify/solvers/linear-fit.ts';
export type { LinearTask } from './classify/solvers/linear-problems.ts';

export { bestOf, crossValidatePath, fitPath } from './classify/solvers/path.ts';
export { ridgePath } from './classify/solvers/ridge-path.ts';

export { matrix, row, selectRows, type Matrix } from './core/matrix.ts';
export { matrixRows, type Rows } from './core/rows.ts';
export type { Failure, FeatureBatch, ImageFacts, Pooling, Sample, Split } from './core/sample.ts';

export { ERROR_CODES, PermafrostError, type ErrorCode } from './core/errors.ts';
export type { Output, Program, Quantization } from './extract/program.ts';
