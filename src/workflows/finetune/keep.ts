import { plural } from '../../core/words.ts';
import type { TailArrays } from '../../extract/training.ts';
import type { FinetuneEpoch } from '../../results/finetune-result.ts';
import { keepHead } from '../train/files/head-files.ts';
import { PROBE_OPTION, REJECT_OPTION } from '../train/options.ts';
import { trainWithin } from '../train/within.ts';
import type { Work } from '../work.ts';
import { bestCandidate } from './choose.ts';
import { keepTuned } from './keep-tuned.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import type { FinetuneState } from './state-file.ts';
import type { TunedNetwork } from './tuned-network.ts';

/** A trained tail: what was reached, and how. */
export interface TrainedTail {
  readonly arrays: TailArrays;
  readonly rate: number;
  readonly epochs: number;
  /** The log of its epochs, from epoch 0 on. */
  readonly log: readonly FinetuneEpoch[];
  readonly C: number | null;
  readonly notes: readonly string[];
}

/** The network as it is kept: the trained arrays with all they rest on. */
function tunedNetwork(
  { recipe, labelled, images, backbone, tail, head, weights, cutSet, trainer, loaded }: OpenedFinetuning,
  { arrays, rate, epochs, log, C, notes }: TrainedTail,
): TunedNetwork {
  const { contract } = (cutSet ?? labelled.store.parts([{ cut: tail.last, pooling: 'avg' }])[0]!.set).settings;
  const met = log.flatMap(({ train }) => train ?? []);
  return {
    backbone,
    from: tail.from,
    arrays,
    head,
    classes: images.train.classes,
    base: weights,
    contract,
    ...(cutSet && { cut: cutSet }),
    recipe: {
      name: recipe.name,
      rate,
      headRate: recipe.headRate,
      epochs: recipe.epochs,
      schedule: recipe.schedule,
      batch: recipe.batch,
      microBatch: loaded.program.batch,
      l2Sp: recipe.l2Sp,
      labelSmoothing: recipe.labelSmoothing,
      views: recipe.views,
      seed: recipe.seed,
      ...(C !== null && { C }),
      engine: `${trainer.name}/${trainer.device}/${trainer.precision}`,
    },
    epochs,
    ...(met.length === epochs && {
      learningCurve: { loss: met.map(({ logLoss }) => logLoss), accuracy: met.map(({ accuracy }) => accuracy) },
    }),
    notes,
    images: images.train.samples.length,
    contents: images.train.contents,
    ...(labelled.relabelled.length > 0 && { relabelled: labelled.relabelled }),
  };
}

/** Keeps a tuned network, and its features where they were asked for; gives the file. Throws STORE_WRITE. */
export async function keepTrained(opened: OpenedFinetuning, trained: TrainedTail, work: Work): Promise<string> {
  const { out, features } = opened.options;
  const kept = await keepTuned(
    opened.labelled.store,
    tunedNetwork(opened, trained),
    { ...(out && { out }), features },
    work,
  );
  return kept.file;
}

/** Trains the frozen head on the stored features and keeps it, a head as "permafrost train" makes it. */
export async function keepFrozen(
  { labelled, tail, bound, options }: OpenedFinetuning,
  C: number,
  work: Work,
): Promise<string> {
  const { store, relabelled } = labelled;
  const features = [{ cut: tail.last, pooling: 'avg' }] as const;
  const request = { owner: 'finetune', store, features, views: 0, bound };
  const plan = { head: 'logistic', options: { C }, normalize: 'l2' } as const;
  const trained = await trainWithin(plan, request, { reject: REJECT_OPTION.default }, work);
  const keeping = { out: options.out, probeImages: PROBE_OPTION.default };
  return (await keepHead(store, { ...trained, relabelled }, keeping, work)).file;
}

/** Keeps the best network of an interrupted fine-tuning; says what was kept, or that there was nothing to keep. */
export async function keepInterrupted(opened: OpenedFinetuning, state: FinetuneState | undefined): Promise<string> {
  const { trials = [], best, refit = [], fit } = state ?? {};
  const epochs = refit.length - 1;
  const rate = bestCandidate(trials)?.rate ?? opened.recipe.rates[0];
  const found =
    epochs > 0 && fit !== undefined
      ? {
          trained: { arrays: fit.arrays, rate, epochs, log: refit },
          what: `the network after ${plural(epochs, 'epoch')} on all of Train`,
        }
      : best && {
          trained: { ...best, log: [] },
          what: `the best network of the search (rate ${best.rate.toExponential()}, ${plural(best.epochs, 'epoch')} on four fifths of Train)`,
        };
  if (found === undefined) return 'No network beat the frozen head so far, so no file was written.';
  const notes = [`Fine-tuning was interrupted: this is ${found.what}.`];
  const bare = { ...opened, options: { ...opened.options, features: false } };
  const file = await keepTrained(bare, { ...found.trained, C: null, notes }, {});
  return `Kept ${found.what}: ${file}.`;
}
