import { plural } from '../../core/plural.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { TailArrays } from '../../extract/training.ts';
import type { FinetuneChoice } from '../../results/finetune-result.ts';
import type { Work } from '../work.ts';
import { chooseCandidate } from './choose.ts';
import { heldOutFifth } from './training/images.ts';
import { ask, type Judged } from './training/loaded-tail.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import { judgeOnVal, refit, search, type Finetuning } from './search.ts';
import { exactHead, randomHead, startArrays, type StartHead } from './training/start.ts';
import type { FinetuneState } from './state-file.ts';

/** What came out of search and refit. */
export interface TrainedAll {
  readonly state: FinetuneState;
  readonly choice: FinetuneChoice;
  /** Images that the search held out. */
  readonly heldOut: number;
  readonly C: number | null;
  /** The start of all of Train, on the validated images. */
  readonly before: Judged;
  /** The network of the refit, and what it says of the validated images; undefined where the frozen head is kept. */
  readonly tuned: { readonly arrays: TailArrays; readonly judged: Judged } | undefined;
  readonly seconds: Readonly<Record<'start' | 'search' | 'refit', number>>;
}

/** Runs a recipe from where the state is: search, choice, and training on all of Train. Throws as search. */
export async function trainAll(
  opened: OpenedFinetuning,
  finetuning: Finetuning,
  from: FinetuneState,
  work: Work,
): Promise<TrainedAll> {
  const { recipe, images, tail, weights } = opened;
  const all = Array.from(images.train.truth.keys());
  const clock = stopwatch();
  const headOn = await starts(opened, all, work);
  const arraysOf = (head: StartHead): TailArrays => startArrays(tail, weights, head);
  clock.lap('start');
  let state = from;
  let heldOut = 0;
  if (recipe.warm) {
    const fifth = heldOutFifth(images.train, recipe.seed);
    heldOut = fifth.val.length;
    // Once the refit has begun all trials are done.
    if (state.refit.length === 0) state = await search(finetuning, fifth, arraysOf(await headOn(fifth.train)), state);
  }
  const choice = recipe.warm ? chooseCandidate(state.trials) : fixedChoice(opened);
  clock.lap('search');
  const head = await headOn(all);
  const start = arraysOf(head);
  const before = await judgeOnVal(finetuning, start);
  if (choice.kept === 'frozen')
    return { state, choice, heldOut, C: head.C, before, tuned: undefined, seconds: clock.seconds('refit') };
  if (!finetuning.refits) {
    const { arrays } = state.best!;
    const tuned = { arrays, judged: await judgeOnVal(finetuning, arrays) };
    return { state, choice, heldOut, C: head.C, before, tuned, seconds: clock.seconds('refit') };
  }
  const fitted = await refit(finetuning, choice, start, before, state);
  const { state: done, ...tuned } = fitted;
  return { state: done, choice, heldOut, C: head.C, before, tuned, seconds: clock.seconds('refit') };
}

/** The dense layer that training on some of the images begins with. */
type HeadOn = (rows: readonly number[]) => Promise<StartHead>;

/**
 * Exact heads on the pooled features that the tail itself gives before it is trained, so that epoch 0 is that head; or
 * the recipe's random weights.
 */
async function starts(
  { recipe, images, tail, head, weights, loaded, inputs }: OpenedFinetuning,
  all: readonly number[],
  { signal }: Work,
): Promise<HeadOn> {
  const random = randomHead(tail, head, recipe.seed);
  if (!recipe.warm) return () => Promise.resolve(random);
  loaded.meter.stage = 'features of the frozen network';
  // Features do not depend on the dense layer.
  const asked = await ask(loaded, startArrays(tail, weights, random), inputs.train, all, 'features');
  const features: Matrix = asked.features;
  return (rows) => exactHead(features, images.train, rows, recipe.seed, signal && { signal });
}

/** What a recipe that chooses nothing keeps. */
const fixedChoice = ({ recipe: { name, rates, epochs } }: OpenedFinetuning): FinetuneChoice => ({
  kept: 'tuned',
  rate: rates[0],
  epochs,
  reason: `The recipe ${name} chooses nothing: rate ${rates[0].toExponential()}, ${plural(epochs, 'epoch')}, as they were asked for.`,
});

function stopwatch() {
  const laps = { start: 0, search: 0, refit: 0 };
  let last = performance.now();
  const lap = (name: keyof typeof laps): void => {
    const now = performance.now();
    laps[name] = (now - last) / 1000;
    last = now;
  };
  return {
    lap,
    /** All laps, the last of them ending now. */
    seconds(name: keyof typeof laps): typeof laps {
      lap(name);
      return laps;
    },
  };
}
