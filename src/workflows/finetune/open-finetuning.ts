import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import type { LayerBackbone } from '../../extract/backbones/backbone.ts';
import { requireLayerBackbone } from '../../extract/backbones/layer-backbones.ts';
import type { DenseHead, Trainer } from '../../extract/training.ts';
import { loadWeights } from '../../extract/weights/load-weights.ts';
import type { LoadedWeights } from '../../extract/weights/load-weights.ts';
import { requireSameSettings } from '../../store/format/fingerprint.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { openStore, type Store } from '../../store/open.ts';
import { currentSet } from '../../store/read/stored-parts.ts';
import { labelledStore, requireViews, type LabelledStore } from '../train/labelled-store.ts';
import { EXTRACT_DEFAULTS } from '../extract/options.ts';
import { viewsOf, viewsRequest } from '../extract/views.ts';
import { memoryBound } from '../memory.ts';
import type { Work } from '../work.ts';
import { finetuneImages, type FinetuneImages } from './training/images.ts';
import { storedInputs, type TailInputs } from './training/inputs.ts';
import { disposeTail, loadTail, type LoadedTail } from './training/loaded-tail.ts';
import { microBatchOf, sizeOf, type TailSize } from './training/micro-batch.ts';
import { withNeededSets } from './needed-sets.ts';
import type { FinetuneOptions } from './options.ts';
import { pixelInputs } from './training/pixel-inputs.ts';
import type { Recipe } from './training/recipe.ts';
import { stepMeter } from './training/step-meter.ts';
import { programOf, tailFrom, type Tail } from './training/tail.ts';
import { FINETUNE_FOLDER } from './state-file.ts';
import { trainerOf } from './trainer.ts';
import { requireGradients } from './trainer-check.ts';

/** A fine-tuning with all that it reads, loaded. */
export interface OpenedFinetuning {
  readonly options: FinetuneOptions;
  readonly recipe: Recipe;
  readonly labelled: LabelledStore;
  readonly images: FinetuneImages;
  readonly backbone: LayerBackbone;
  readonly tail: Tail;
  readonly head: DenseHead;
  readonly weights: LoadedWeights;
  /** The set of the cut's activations; undefined where pixels are read. */
  readonly cutSet: FeatureSet | undefined;
  readonly trainer: Trainer;
  readonly loaded: LoadedTail;
  readonly size: TailSize;
  readonly inputs: { readonly train: TailInputs; readonly val: TailInputs };
  readonly bound: number;
  /** Seconds of extracting what was missing, or of decoding. */
  readonly seconds: number;
  /** Names all that decides the result: 16 hex digits. */
  readonly id: string;
  readonly dispose: () => Promise<void>;
}

/**
 * Opens the store, extracts what is missing, and loads the tail. What cannot be is refused before any work. Throws
 * OPTION_INVALID, FIT_INVALID, FINGERPRINT_MISMATCH for weights that are not the store's, and what the parts throw.
 */
export async function openFinetuning(
  path: string,
  options: FinetuneOptions,
  recipe: Recipe,
  work: Work,
): Promise<OpenedFinetuning> {
  const { labels, views } = options;
  const bare = await openStore(path);
  const { settings } = currentSet(bare);
  const backbone = requireLayerBackbone(settings.backbone, 'finetune');
  const tail = tailFrom(backbone, options.from, settings.contract.size);
  const bound = memoryBound(options.memory, work);
  const before = await labelledStore(bare, labels, work);
  if (views > 0 && tail.cut !== undefined) requireViews(labels, before.joinedTrain);
  const { classes } = (await finetuneImages(before.store)).train;
  const head: DenseHead = { ...recipe.head, classes: classes.length };
  const size = sizeOf(tail, head);
  const batch = microBatchOf(size, recipe.batch, options.microBatch, bound);
  const weights = await loadWeights({ backbone, ...(options.weights && { file: options.weights }) });
  requireSameSettings('What these weights give', settings, { ...settings, weights: weights.digest });
  const trainer = await trainerOf(options);
  work.listener?.note?.(
    `Training: ${trainer.name} ${trainer.version} on ${trainer.device}, ${trainer.precision}${batch < recipe.batch ? `, ${batch} images a run` : ''}.`,
  );
  for (const note of trainer.notes ?? []) work.listener?.note?.(note);
  await requireGradients(trainer, programOf(tail, head, batch));

  const started = performance.now();
  const stored = await withNeededSets(bare, tail, { views, weights: options.weights }, work);
  const labelled = stored === bare ? before : await labelledStore(stored, labels);
  const images = await finetuneImages(labelled.store);
  const read = await inputsOf(labelled.store, tail, images, views, bound, work);
  const seconds = (performance.now() - started) / 1000;
  try {
    const watched = { meter: stepMeter(work.listener), signal: work.signal };
    const loaded = await loadTail(trainer, programOf(tail, head, batch), watched);
    const { cut } = tail;
    const cutSet = cut === undefined ? undefined : stored.parts([{ cut, pooling: 'flatten' }])[0]!.set;
    const { name, device, version } = trainer;
    const lists = [images.train.samples, images.val.samples].map((list) =>
      sha256Hex(canonicalJson(list.map(({ path, label, sha256 }) => [path, label, sha256]))),
    );
    const decisive = {
      recipe,
      from: tail.from,
      batch,
      weights: weights.digest,
      lists,
      engine: { name, device, version },
    };
    const features = cutSet?.fingerprint ?? settings.contract;
    const id = sha256Hex(canonicalJson({ ...decisive, features, views: viewsOf(stored) })).slice(0, 16);
    return {
      options,
      recipe,
      labelled,
      images,
      backbone,
      tail,
      head,
      weights,
      cutSet,
      trainer,
      loaded,
      size,
      inputs: read.inputs,
      bound,
      seconds,
      id,
      async dispose() {
        await disposeTail(loaded);
        await read.dispose();
      },
    };
  } catch (error) {
    await read.dispose();
    throw error;
  }
}

/** What the tail reads of the images: stored activations, or pixels that are decoded now. */
async function inputsOf(
  store: Store,
  { cut }: Tail,
  { train, val, validatedOn, unseen }: FinetuneImages,
  views: number,
  bound: number,
  work: Work,
): Promise<{ readonly inputs: OpenedFinetuning['inputs']; readonly dispose: () => Promise<void> }> {
  if (cut !== undefined)
    return {
      inputs: {
        train: await storedInputs(store, cut, 'train', views),
        val: await storedInputs(unseen, cut, validatedOn, 0),
      },
      dispose: () => Promise.resolve(),
    };
  const { plan, seed } = viewsRequest({ ...EXTRACT_DEFAULTS, ...viewsOf(store) });
  const source = {
    folder: join(store.path, FINETUNE_FOLDER),
    root: store.manifest.dataset.root,
    contract: currentSet(store).settings.contract,
    bound: bound / 4,
    views: { plan, seed },
  };
  const { lists, dispose } = await pixelInputs(source, [train.samples, val.samples], work);
  return { inputs: { train: lists[0]!, val: lists[1]! }, dispose };
}
