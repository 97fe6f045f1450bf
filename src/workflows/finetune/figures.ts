import { hits, wilsonInterval } from '../../classify/evaluate/metrics.ts';
import { accuracyDifference, mcNemar, pairedT } from '../../classify/evaluate/paired-tests.ts';
import type { FinetuneResult, TunedComparison, ValidatedScore } from '../../results/finetune-result.ts';
import type { Judged } from './training/loaded-tail.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import { FINETUNE_OPTIONS } from './options.ts';
import type { TrainedAll } from './train-all.ts';

const validated = ({ score, guess }: Judged, truth: Int32Array): ValidatedScore => ({
  ...score,
  interval: wilsonInterval(hits(truth, guess), truth.length),
});

/** The tuned network beside the frozen head, both on the same images. */
export function comparisonOf(truth: Int32Array, tuned: Judged, frozen: Judged): TunedComparison {
  const accuracy = mcNemar(truth, tuned.guess, frozen.guess);
  return {
    ...accuracyDifference(accuracy, truth.length),
    accuracy,
    logLossPValue: pairedT(tuned.losses, frozen.losses),
  };
}

/** A fine-tuning as it is reported. */
export function resultOf(
  { options, recipe, labelled, images, tail, trainer, loaded, size, seconds: extract }: OpenedFinetuning,
  { state, choice, heldOut, C, before, tuned, seconds }: TrainedAll,
  more: Pick<FinetuneResult, 'resumedEpochs' | 'file'> & {
    readonly limit: FinetuneResult['limit'] | undefined;
  } & {
    readonly keep: number;
    readonly looks: FinetuneResult['looks'] | null;
  },
): FinetuneResult {
  const { name, device, precision, version } = trainer;
  const { truth } = images.val;
  const { keep, looks, resumedEpochs, file, limit } = more;
  const trained = state.refit.slice(1);
  return {
    store: labelled.store.path,
    from: tail.from,
    cut: tail.cut ?? null,
    recipe: recipe.name,
    engine: { name, device, precision, version },
    classes: images.train.classes,
    trained: images.train.samples.length,
    heldOut,
    views: recipe.views,
    validated: truth.length,
    validatedOn: images.validatedOn,
    ...(images.leftOut > 0 && { leftOut: images.leftOut }),
    parameters: size.parameters,
    batch: recipe.batch,
    microBatch: loaded.program.batch,
    C,
    trials: state.trials,
    choice,
    ...(limit && { limit }),
    refit: state.refit,
    frozen: recipe.warm ? validated(before, truth) : null,
    tuned: tuned === undefined ? null : validated(tuned.judged, truth),
    comparison: tuned === undefined || !recipe.warm ? null : comparisonOf(truth, tuned.judged, before),
    options: Object.fromEntries(
      Object.entries(options).filter(([key, value]) => value !== FINETUNE_OPTIONS[key as keyof typeof options].default),
    ),
    ...(options.labels !== '' && { relabelled: labelled.relabelled.length }),
    resumedEpochs,
    seconds: { extract, ...seconds, keep },
    secondsPerEpoch:
      trained.length === 0 ? null : trained.reduce((sum, epoch) => sum + epoch.seconds, 0) / trained.length,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    ...(looks && { looks }),
    file,
  };
}
