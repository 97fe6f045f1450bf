import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import type { FinetuneLimit } from '../../results/finetune-result.ts';
import type { Work } from '../work.ts';
import type { OpenedFinetuning } from './open-finetuning.ts';
import { heldOutFifth } from './training/images.ts';
import type { LoadedTail } from './training/loaded-tail.ts';
import type { Recipe } from './training/recipe.ts';
import { leastSeconds, planWithin, type RunSeconds, type TimedPlan } from './within-time.ts';

/** A recipe as far as it has room. */
export interface LimitedRecipe {
  readonly recipe: Recipe;
  /** Names all that decides the result, the limit's effect too. */
  readonly id: string;
  /** Undefined where no limit was given. */
  readonly limit: FinetuneLimit | undefined;
}

/** What is beside the runs of the network: reading, the optimiser. */
const OVERHEAD = 1.1;

/**
 * Seconds of one run of each kind: the shorter of two, for other programs can only make it longer, behind one in which
 * the runtime takes its memory.
 */
async function runSeconds({ step, answers }: LoadedTail): Promise<RunSeconds> {
  const seconds = async (run: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    await run();
    return (performance.now() - started) / 1000;
  };
  const timed = async (run: () => Promise<unknown>): Promise<number> => {
    await run();
    return OVERHEAD * Math.min(await seconds(run), await seconds(run));
  };
  return { training: await timed(() => step.run()), asking: await timed(() => answers.run()) };
}

/**
 * The recipe of a fine-tuning within its option `minutes`: as many rates and epochs as have room by the time that the
 * first steps take, which is told. Throws OPTION_INVALID where not one epoch has room, and for a recipe that chooses
 * nothing.
 */
export async function withinMinutes(opened: OpenedFinetuning, { listener }: Work): Promise<LimitedRecipe> {
  const { options, recipe, images, loaded, id } = opened;
  const { minutes } = options;
  if (minutes === 0) return { recipe, id, limit: undefined };
  if (!recipe.warm)
    throw new PermafrostError(
      'OPTION_INVALID',
      `finetune: the recipe ${recipe.name} runs the epochs that are asked for, so it takes no --minutes. Give fewer --epochs.`,
    );
  const costs = await runSeconds(loaded);
  const { batch } = loaded.program;
  const runs = (count: number): number => Math.ceil(count / batch);
  const fifth = heldOutFifth(images.train, recipe.seed);
  const counts = {
    train: runs(images.train.truth.length),
    searched: runs(fifth.train.length),
    heldOut: runs(fifth.val.length),
    validated: runs(images.val.truth.length),
  };
  const plan = planWithin(60 * minutes, recipe, counts, costs);
  if (plan === undefined)
    throw new PermafrostError(
      'OPTION_INVALID',
      `finetune: one epoch from ${options.from} on takes about ${Math.ceil(leastSeconds(counts, costs))} s here with all that belongs to it, and --minutes allows ${Math.floor(60 * minutes)} s. Allow more, or train fewer layers with --from.`,
    );
  const limit = limitOf(plan, recipe, minutes, { training: costs.training / batch, asking: costs.asking / batch });
  if (limit.reason !== null) listener?.note?.(limit.reason);
  const { rates, epochs, refit } = plan;
  return {
    recipe: { ...recipe, rates, epochs },
    id: sha256Hex(JSON.stringify([id, rates, epochs, refit])).slice(0, 16),
    limit,
  };
}

/** `training` and `asking`: seconds an image. */
function limitOf(
  { rates, epochs, refit, seconds }: TimedPlan,
  { rates: ofRates, epochs: ofEpochs }: Recipe,
  minutes: number,
  { training, asking }: RunSeconds,
): FinetuneLimit {
  const isWhole = rates.length === ofRates.length && epochs === ofEpochs && refit;
  const kept = refit ? '' : '; training again on all of Train has none, so the network of four fifths of it is kept';
  return {
    minutes,
    rates,
    ofRates,
    epochs,
    ofEpochs,
    refit,
    secondsAnImage: training,
    secondsAsking: asking,
    reason: isWhole
      ? null
      : `Within ${Math.round(60 * minutes)} s ${rates.length} of ${ofRates.length} rates and ${plural(epochs, 'epoch')} of ${ofEpochs} have room (${Math.round(seconds)} s: ${(1000 * training).toFixed(0)} ms an image trained, ${(1000 * asking).toFixed(0)} ms asked)${kept}.`,
  };
}

/** What is to be said of a network that the limit shaped. */
export const notesOn = (limit: FinetuneLimit | undefined): readonly string[] =>
  limit === undefined || limit.reason === null ? [] : [limit.reason];
