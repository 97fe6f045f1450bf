import type { TrainVal } from '../../classify/evaluate/split.ts';
import type { TailArrays } from '../../extract/training.ts';
import type { FinetuneEpoch, FinetuneTrial } from '../../results/finetune-result.ts';
import { beatsFrozen, bestCandidate, gainOver } from './choose.ts';
import type { TailInputs } from './training/inputs.ts';
import type { LabelledImages } from './training/images.ts';
import { ask, copyOfArrays, judge, type Judged, type LoadedTail } from './training/loaded-tail.ts';
import type { Recipe } from './training/recipe.ts';
import type { FinetuneState } from './state-file.ts';
import { tailFit } from './training/tail-fit.ts';

/** Images with what the tail reads of them. */
export interface ReadImages extends LabelledImages {
  readonly inputs: TailInputs;
}

/** What is trained, on what, and what is watched. */
export interface Finetuning {
  readonly loaded: LoadedTail;
  readonly recipe: Recipe;
  /** Whether the choice is trained again on all of Train; else the network of the search is kept. */
  readonly refits: boolean;
  readonly train: ReadImages;
  readonly val: ReadImages;
  /** Keeps the state of the end of an epoch. */
  readonly save: (state: FinetuneState) => Promise<void>;
  /** Networks that were judged on the validated images. */
  looks: number;
  /** What the best network of the search said of them, where it was found in this call. */
  bestOnVal?: Judged;
}

const all = ({ truth }: LabelledImages): number[] => Array.from(truth.keys());

/** Judges a network on some of the images, by default all. */
export async function judgeOn(
  loaded: LoadedTail,
  arrays: TailArrays,
  images: ReadImages,
  some: readonly number[] = all(images),
): Promise<Judged> {
  const { logits } = await ask(loaded, arrays, images.inputs, some);
  return judge(
    logits,
    Int32Array.from(some, (i) => images.truth[i]!),
  );
}

/** Judges a network on the validated images, which counts as a look at them. */
export function judgeOnVal(finetuning: Finetuning, arrays: TailArrays): Promise<Judged> {
  finetuning.looks++;
  return judgeOn(finetuning.loaded, arrays, finetuning.val);
}

/** Where a search begins: the network before it is trained, and what it says. */
interface SearchStart {
  readonly arrays: TailArrays;
  readonly before: { readonly heldOut: Judged; readonly val: Judged };
}

/**
 * Tries each rate on the search's part of Train, from the same start, and scores the held-out part after each epoch; a
 * trial that the state has goes on from there. Gives the state with all trials. Throws INTERRUPTED, FIT_INVALID,
 * ENGINE_FAILED.
 */
export async function search(
  finetuning: Finetuning,
  { train: rows, val: held }: TrainVal,
  { arrays: start, before: { heldOut: before, val } }: SearchStart,
  from: FinetuneState,
): Promise<FinetuneState> {
  const { loaded, recipe, train, save } = finetuning;
  const { meter } = loaded;
  const zero: FinetuneEpoch = {
    epoch: 0,
    heldOut: { ...before.score, gain: 0, gainError: 0 },
    val: val.score,
    seconds: 0,
  };
  let state = from;
  for (const [i, rate] of recipe.rates.entries()) {
    let trial: FinetuneTrial = state.trials[i] ?? { rate, epochs: [zero] };
    if (trial.epochs.length > recipe.epochs) continue;
    const kept = trial.epochs.length > 1 ? state.fit : undefined;
    const fit = tailFit(loaded, { inputs: train.inputs, truth: train.truth, images: rows }, recipe, rate, start, kept);
    while (trial.epochs.length <= recipe.epochs) {
      const epoch = trial.epochs.length;
      meter.stage = `rate ${rate.toExponential()}, epoch ${epoch} of ${recipe.epochs}`;
      const started = performance.now();
      const met = await fit.epoch(epoch);
      const seconds = (performance.now() - started) / 1000;
      const { arrays } = fit.state();
      const now = await judgeOn(loaded, arrays, train, held);
      const heldOut = { ...now.score, ...gainOver(before.losses, now.losses) };
      const watched = await judgeOnVal(finetuning, arrays);
      trial = { rate, epochs: [...trial.epochs, { epoch, train: met, heldOut, val: watched.score, seconds }] };
      const trials = [...state.trials.slice(0, i), trial];
      const best = bestCandidate(trials)!;
      const isBest = best.rate === rate && best.epochs === epoch && beatsFrozen(best);
      if (isBest) finetuning.bestOnVal = watched;
      state = {
        trials,
        refit: [],
        best: isBest ? { rate, epochs: epoch, arrays: copyOfArrays(arrays) } : state.best,
        fit: fit.state(),
      };
      await save(state);
    }
  }
  return state;
}

/**
 * Trains on all of Train at one rate for some epochs of the recipe's schedule, which the search followed too; goes on
 * from the state where it began before. Gives the state, the network and its answers. Throws as search.
 */
export async function refit(
  finetuning: Finetuning,
  { rate, epochs }: { readonly rate: number; readonly epochs: number },
  start: TailArrays,
  before: Judged,
  from: FinetuneState,
): Promise<{ readonly state: FinetuneState; readonly arrays: TailArrays; readonly judged: Judged }> {
  const { loaded, recipe, train, save } = finetuning;
  const { meter } = loaded;
  const zero: FinetuneEpoch = { epoch: 0, val: before.score, seconds: 0 };
  let state: FinetuneState = from.refit.length > 0 ? from : { trials: from.trials, refit: [zero] };
  const kept = state.refit.length > 1 ? from.fit : undefined;
  const images = { inputs: train.inputs, truth: train.truth, images: all(train) };
  const fit = tailFit(loaded, images, recipe, rate, start, kept);
  let judged: Judged | undefined;
  while (state.refit.length <= epochs) {
    const epoch = state.refit.length;
    meter.stage = `all of Train, rate ${rate.toExponential()}, epoch ${epoch} of ${epochs}`;
    const started = performance.now();
    const met = await fit.epoch(epoch);
    const seconds = (performance.now() - started) / 1000;
    judged = await judgeOnVal(finetuning, fit.state().arrays);
    const done: FinetuneEpoch = { epoch, train: met, val: judged.score, seconds };
    state = { ...state, refit: [...state.refit, done], fit: fit.state() };
    await save(state);
  }
  const { arrays } = fit.state();
  return { state, arrays, judged: judged ?? (await judgeOnVal(finetuning, arrays)) };
}
