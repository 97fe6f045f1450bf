import { PermafrostError } from '../../../core/errors.ts';
import { random } from '../../../core/random.ts';
import { sha256Hex } from '../../../core/digest.ts';
import { checkAborted } from '../../../classify/checks.ts';
import { adam, type Adam } from '../../../classify/network/adam.ts';
import type { TailArrays } from '../../../extract/training.ts';
import type { NetworkScore } from '../../../results/finetune-result.ts';
import { batchesOf, evenParts, partsOf, type InputBatch, type PickedImage, type TailInputs } from './inputs.ts';
import { setArrays, type LoadedTail } from './loaded-tail.ts';
import type { Recipe } from './recipe.ts';

/** What is trained on. */
export interface TrainedOn {
  readonly inputs: TailInputs;
  /** Class of each image of the inputs. */
  readonly truth: Int32Array;
  /** Those of them that are trained on. */
  readonly images: readonly number[];
}

/** All that decides the rest of a training: written at the end of each epoch, read to go on. */
export interface FitState {
  readonly arrays: TailArrays;
  /** Adam's running means. */
  readonly first: TailArrays;
  readonly second: TailArrays;
  readonly steps: number;
}

/** A training under way. */
export interface TailFit {
  /** As they are now; of the optimiser's own memory. */
  readonly state: () => FitState;
  /** Trains epoch 1, 2 ...; gives the figures of the images as they were met. Throws INTERRUPTED, FIT_INVALID. */
  epoch(number: number): Promise<NetworkScore>;
}

/**
 * Begins to train a tail at a rate, from arrays or from a state that was kept. Order and views of an epoch follow from
 * the seed and its number alone, so that going on gives the same bytes.
 */
export function tailFit(
  loaded: LoadedTail,
  { inputs, truth, images }: TrainedOn,
  recipe: Recipe,
  rate: number,
  start: TailArrays,
  kept?: FitState,
): TailFit {
  const { program, step, meter, signal } = loaded;
  const names = [...step.parameters.keys()];
  const listed = (arrays: TailArrays): Float32Array[] => names.map((name) => arrays.get(name)!);
  const named = (arrays: readonly Float32Array[]): TailArrays => new Map(names.map((name, i) => [name, arrays[i]!]));
  const optimiser = adam(listed(kept?.arrays ?? start), rate);
  if (kept !== undefined) {
    setArrays(named(optimiser.first), kept.first);
    setArrays(named(optimiser.second), kept.second);
    optimiser.steps = kept.steps;
  }
  const weights = named(optimiser.weights);
  setArrays(step.parameters, weights);
  const isHead = names.map((name) => name.startsWith('head/'));
  const total = Math.ceil(images.length / recipe.batch) * recipe.epochs;
  const anchors = recipe.l2Sp === 0 ? undefined : listed(start);

  /** One step of Adam, and of L2-SP beside it, at a share of the rates. */
  function update(share: number): void {
    const rates = isHead.map((head) => share * (head ? recipe.headRate : rate));
    optimiser.step(undefined, rates);
    if (anchors !== undefined)
      names.forEach((_, i) => {
        if (!isHead[i]!) pullTowards(optimiser.weights[i]!, anchors[i]!, rates[i]! * recipe.l2Sp);
      });
    setArrays(step.parameters, weights);
  }

  return {
    state: () => ({
      arrays: weights,
      first: named(optimiser.first),
      second: named(optimiser.second),
      steps: optimiser.steps,
    }),
    async epoch(number) {
      const order = orderOf(images, recipe, number);
      const steps = evenParts(order, Math.ceil(order.length / recipe.batch));
      const runs = steps.flatMap((some) => partsOf(byView(some), program.batch));
      const found = { loss: 0, hits: 0, images: 0 };
      const batches = batchesOf(inputs, runs);
      try {
        for (const some of steps) {
          let loss = 0;
          for (let done = 0; done < some.length;) {
            checkAborted(signal && { signal });
            const { picks, data } = (await batches.next()).value as InputBatch;
            step.x.set(data);
            fillTargets(step.y, picks, truth, program.head.classes, recipe.labelSmoothing, some.length);
            loss += await step.run();
            (done === 0 ? setGradients : addGradients)(optimiser, listed(step.gradients));
            found.hits += hitsOf(step.logits, picks, truth, program.head.classes);
            done += picks.length;
          }
          if (!Number.isFinite(loss)) throw ranAway(loss, number, rate, recipe);
          update(recipe.schedule === 'cosine' ? 0.5 * (1 + Math.cos((Math.PI * optimiser.steps) / total)) : 1);
          found.loss += loss * some.length;
          found.images += some.length;
          meter.trained(some.length / recipe.batch);
        }
      } finally {
        await batches.return(undefined);
      }
      return { accuracy: found.hits / found.images, logLoss: found.loss / found.images };
    },
  };
}

/** The images of an epoch in its order, each as it is or in one of its views with equal chances. */
function orderOf(images: readonly number[], { seed, views }: Recipe, epoch: number): PickedImage[] {
  const source = random(Number.parseInt(sha256Hex(`finetune:${seed}:${epoch}`).slice(0, 8), 16));
  return source.shuffle([...images]).map((image) => ({ image, view: views === 0 ? 0 : source.below(views + 1) }));
}

/** Images of one view stand together: they are read together. */
const byView = (picks: readonly PickedImage[]): PickedImage[] => picks.toSorted((a, b) => a.view - b.view);

/** Targets of a run, each row weighing as one of the `of` images of the step; rows that are not taken up are zeros. */
function fillTargets(
  y: Float32Array,
  picks: readonly PickedImage[],
  truth: Int32Array,
  classes: number,
  smoothing: number,
  of: number,
): void {
  y.fill(0);
  for (const [i, { image }] of picks.entries())
    for (let c = 0; c < classes; c++)
      y[i * classes + c] = ((c === truth[image] ? 1 - smoothing : 0) + smoothing / classes) / of;
}

function setGradients({ gradients }: Adam, values: readonly Float32Array[]): void {
  gradients.forEach((array, i) => array.set(values[i]!));
}

function addGradients({ gradients }: Adam, more: readonly Float32Array[]): void {
  for (const [i, sum] of gradients.entries()) {
    const values = more[i]!;
    for (let at = 0; at < sum.length; at++) sum[at]! += values[at]!;
  }
}

/** L2-SP (Li, Grandvalet and Davoine 2018): weights go back towards where they began, decoupled from Adam's scaling. */
function pullTowards(weights: Float32Array, anchor: Float32Array, by: number): void {
  for (let at = 0; at < weights.length; at++) weights[at]! -= by * (weights[at]! - anchor[at]!);
}

function hitsOf(logits: Float32Array, picks: readonly PickedImage[], truth: Int32Array, classes: number): number {
  let hits = 0;
  for (const [i, { image }] of picks.entries()) {
    const own = logits.subarray(i * classes, (i + 1) * classes);
    if (own.indexOf(Math.max(...own)) === truth[image]) hits++;
  }
  return hits;
}

const ranAway = (loss: number, epoch: number, rate: number, { headRate }: Recipe): PermafrostError =>
  new PermafrostError(
    'FIT_INVALID',
    `The loss is ${loss} in epoch ${epoch} at the rate ${rate} (dense layer ${headRate}): the weights ran away. Lower --rates or --head-rate.`,
  );
