import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { FinetuneResult } from '../../results/finetune-result.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import type { Work } from '../work.ts';
import { epochsDone, expectSteps } from './expected-steps.ts';
import { resultOf } from './figures.ts';
import { keepFrozen, keepInterrupted, keepTrained } from './keep.ts';
import { openFinetuning, type OpenedFinetuning } from './open-finetuning.ts';
import { FINETUNE_OPTIONS, type FinetuneOptions } from './options.ts';
import { recipeOf } from './training/recipe.ts';
import type { Finetuning } from './search.ts';
import { removeUnfinished } from '../../store/format/temporary-files.ts';
import { readState, removeState, stateFileOf, writeState, type FinetuneState } from './state-file.ts';
import { trainAll, type TrainedAll } from './train-all.ts';
import { notesOn, withinMinutes } from './within-minutes.ts';

const NOTHING: FinetuneState = { trials: [], refit: [] };

/**
 * Trains the layers behind a cut on a store's images, from the exact frozen head; rate and epochs are chosen on a
 * held-out part of Train, and the frozen head is kept where nothing beats it. Extracts what is missing. The same call
 * goes on after an interruption. Throws OPTION_INVALID, FIT_INVALID, INTERRUPTED, which says what was kept,
 * ENGINE_UNAVAILABLE, STORE_WRITE, and what openStore and extraction throw.
 */
export async function finetune(
  storePath: string,
  given: Partial<FinetuneOptions> = {},
  work: Work = {},
): Promise<FinetuneResult> {
  const options = resolveOptions('finetune', FINETUNE_OPTIONS, given);
  const opened = await openFinetuning(storePath, options, recipeOf(options), work);
  try {
    return await tune(opened, work);
  } finally {
    await opened.dispose();
  }
}

async function tune(whole: OpenedFinetuning, work: Work): Promise<FinetuneResult> {
  const { limit, ...limited } = await withinMinutes(whole, work);
  const opened = { ...whole, ...limited };
  const { options, recipe, labelled, images, loaded, inputs, id } = opened;
  const store = labelled.store.path;
  const file = stateFileOf(store, id);
  await removeUnfinished(file);
  if (options.restart) await removeState(file);
  const before = (await readState(file, id)) ?? NOTHING;
  const resumedEpochs = epochsDone(before);
  if (resumedEpochs > 0)
    work.listener?.note?.(
      `Going on after ${resumedEpochs} epochs of an interrupted fine-tuning (--restart begins anew).`,
    );
  const finetuning: Finetuning = {
    loaded,
    recipe,
    refits: limit?.refit ?? true,
    train: { ...images.train, inputs: inputs.train },
    val: { ...images.val, inputs: inputs.val },
    save: (state) => writeState(file, id, state),
    looks: 0,
  };
  expectSteps(finetuning, before);
  const count = await openLooks(store, work.listener);
  const looksTaken = () => count.add('finetune', images.validatedOn, finetuning.looks);
  let trained: TrainedAll;
  try {
    trained = await trainAll(opened, finetuning, before, work);
  } catch (error) {
    if (finetuning.looks > 0) await looksTaken();
    if (!(error instanceof PermafrostError) || error.code !== 'INTERRUPTED') throw error;
    const kept = await keepInterrupted(opened, await readState(file, id));
    const message = `Interrupted. ${kept} Epochs that were done are kept: run the same command again to go on.`;
    throw new PermafrostError('INTERRUPTED', message, { cause: error });
  }
  const looks = await looksTaken();
  const began = performance.now();
  const { tuned, choice, C, state } = trained;
  const { rate, epochs } = choice;
  const head =
    tuned === undefined
      ? await keepFrozen(opened, C!, work)
      : await keepTrained(
          opened,
          { arrays: tuned.arrays, rate, epochs, log: state.refit, C, notes: notesOn(limit) },
          work,
        );
  await removeState(file);
  const keep = (performance.now() - began) / 1000;
  return resultOf(opened, trained, { keep, resumedEpochs, looks, file: head, limit });
}
