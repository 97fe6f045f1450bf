import { plural } from '../../core/words.ts';
import type { TailArrays } from '../../extract/training.ts';
import type { FinetuneChoice } from '../../results/finetune-result.ts';
import type { Work } from '../work.ts';
import { chooseCandidate } from './choose.ts';
import { heldOutFifth } from './training/images.ts';
import type { Judged } from './training/loaded-tail.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import { startsOf } from './frozen-start.ts';
import { judgeOnVal, refit, search, type Finetuning } from './search.ts';
import { startArrays, type StartHead } from './training/start.ts';
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
  const { headOn, onTrain, onVal } = await startsOf(opened, finetuning, work);
  const arraysOf = (head: StartHead): TailArrays => startArrays(tail, weights, head);
  clock.lap('start');
  let state = from;
  let heldOut = 0;
  if (recipe.warm) {
    const fifth = heldOutFifth(images.train, recipe.seed);
    heldOut = fifth.val.length;
    // Once the refit has begun all trials are done.
    if (state.refit.length === 0) {
      const head = await headOn(fifth.train);
      const before = { heldOut: await onTrain(head, fifth.val), val: await onVal(head) };
      state = await search(finetuning, fifth, { arrays: arraysOf(head), before }, state);
    }
  }
  const choice = recipe.warm ? chooseCandidate(state.trials) : fixedChoice(opened);
  clock.lap('search');
  const head = await headOn(all);
  const start = arraysOf(head);
  const before = await onVal(head);
  if (choice.kept === 'frozen')
    return { state, choice, heldOut, C: head.C, before, tuned: undefined, seconds: clock.seconds('refit') };
  if (!finetuning.refits) {
    const { arrays } = state.best!;
    const tuned = { arrays, judged: finetuning.bestOnVal ?? (await judgeOnVal(finetuning, arrays)) };
    return { state, choice, heldOut, C: head.C, before, tuned, seconds: clock.seconds('refit') };
  }
  const fitted = await refit(finetuning, choice, start, before, state);
  const { state: done, ...tuned } = fitted;
  return { state: done, choice, heldOut, C: head.C, before, tuned, seconds: clock.seconds('refit') };
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
