import type { Finetuning } from './search.ts';
import type { FinetuneState } from './state-file.ts';

/** The part of Train that the search trains on. */
const SEARCHED = 4 / 5;

/** Epochs that a state tells of. */
export const epochsDone = ({ trials, refit }: FinetuneState): number =>
  trials.reduce((sum, { epochs }) => sum + epochs.length - 1, 0) + Math.max(0, refit.length - 1);

/** Tells the meter what lies ahead, the refit at its longest, and what the state has of it. */
export function expectSteps(
  { loaded, recipe, refits, train, val }: Finetuning,
  { trials, refit }: FinetuneState,
): void {
  const { meter } = loaded;
  const all = train.truth.length / recipe.batch;
  const watched = val.truth.length / recipe.batch;
  const searched = recipe.warm ? SEARCHED * all : 0;
  const trialEpochs = recipe.warm ? recipe.rates.length * recipe.epochs : 0;
  const epochOfSearch = [searched, all - searched + watched] as const;
  const epochOfRefit = [all, watched] as const;
  meter.expect(0, (recipe.warm ? all : 0) + watched);
  for (let epoch = 0; epoch < trialEpochs; epoch++) meter.expect(...epochOfSearch);
  for (let epoch = 0; epoch < (refits ? recipe.epochs : 0); epoch++) meter.expect(...epochOfRefit);
  const found = trials.reduce((sum, { epochs }) => sum + epochs.length - 1, 0);
  for (let epoch = 0; epoch < found; epoch++) meter.skip(...epochOfSearch);
  for (let epoch = 1; epoch < refit.length; epoch++) meter.skip(...epochOfRefit);
}
