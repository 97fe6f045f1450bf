import { availableParallelism } from 'node:os';
import { few, PermafrostError } from '../../core/errors.ts';
import { headEntry } from '../../classify/heads/index.ts';
import { inMegabytes } from '../../core/words.ts';
import { resolveOptions } from '../../core/options.ts';
import type { SweepCandidate, SweepConfiguration, SweepResult } from '../../results/sweep-result.ts';
import { openStore, type Store } from '../../store/open.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import { madeOfMaps } from '../../store/read/stored-parts.ts';
import { ledgerPath, openLedger, type Ledger, type LedgerEntry } from '../../store/format/sweep-ledger.ts';
import { validationSplit } from '../train/validation-split.ts';
import { keepAnswers } from '../train/answers/keep-answers.ts';
import { keepHead } from '../train/files/head-files.ts';
import { storeThrough } from '../train/files/store-through.ts';
import { labelledStore, requireViews } from '../train/labelled-store.ts';
import { headsMeasured } from '../train/views-effect.ts';
import { memoryBound } from '../memory.ts';
import { progressMeter } from '../progress-meter.ts';
import { fitBest } from './best.ts';
import { sharedData } from './data.ts';
import { configurationsOf, featuresOf, type SweepGrid } from './grid.ts';
import { imagesWithin, roomForSweep, type GroupSize, type SweepRoom } from './memory.ts';
import { withNetworks } from './network-axis.ts';
import { SWEEP_OPTIONS, type SweepOptions } from './options.ts';
import { findingIds, jobsOf, planSweep, type SweepPlan } from './plan.ts';
import { featuresKey, runSweepJobs } from './pool.ts';
import { candidateOf, entryOf, isOfImages, ranked } from './ranking.ts';
import { foldable } from './single-images.ts';
import { sampleTrain } from './sample.ts';
import type { Work } from '../work.ts';

/** What to sweep: options over SWEEP_OPTIONS' defaults, and the grid, by default DEFAULT_GRID. */
export interface SweepRequest extends Partial<SweepOptions> {
  readonly grid?: SweepGrid | undefined;
  /** Where the grid comes from, for messages. */
  readonly gridSource?: string | undefined;
}

/** What a sweep takes beside its request. */
export interface SweepWork extends Work {
  /** Called with each candidate when it is known, those of earlier sweeps first; in no order. */
  onCandidate?(candidate: SweepCandidate, state: { readonly done: number; readonly total: number }): void;
}

/**
 * Cross-validates every configuration of a grid on the store's training images or a sample of them, and fits the best
 * on all; only the best meets the validation images. Results are kept as they come: the same call goes on after an
 * abort. A result depends on nothing but its id (SweepCandidate): not on the workers, the rest of the grid or the
 * order. With a list of labels these count, and the store is not changed. Throws OPTION_INVALID, FIT_INVALID where the
 * images cannot be split so that every fold trains on every class, INTERRUPTED, STORE_WRITE, and what openStore and
 * Store.rows throw.
 */
export async function sweep(
  storePath: string,
  { grid = {}, gridSource = 'The grid', ...given }: SweepRequest = {},
  work: SweepWork = {},
): Promise<SweepResult> {
  const options = resolveOptions('sweep', SWEEP_OPTIONS, given);
  configurationsOf(grid, gridSource); // refused before any work
  const { labels, folds, score, seed } = options;
  const bound = memoryBound(options.memory, work);
  const opened = await storeThrough(await openStore(storePath), options.backboneFile);
  const configurations = configurationsOf(withNetworks(grid, opened, work.listener), gridSource);
  const { store, relabelled, joinedTrain } = await labelledStore(opened, labels, work);
  if (configurations.some(({ views }) => views > 0)) requireViews(labels, joinedTrain);
  const sizes = sizesOf(store, configurations);
  for (const note of new Set(configurations.flatMap((one) => madeOfMaps(store.parts(featuresOf(one))))))
    work.listener?.note?.(note);
  const limits = { most: options.images, least: 2 * folds };
  const most = imagesWithin(sizes, folds, { ...limits, bound });
  const whyNoMore =
    most === options.images
      ? 'as many as --images allows'
      : most === imagesWithin(sizes, folds, { ...limits, bound: Infinity })
        ? 'no more fit one matrix of 4 GiB'
        : `no more fit ${inMegabytes(bound)} (--memory)`;
  const counts = await store.counts();
  const drawn = sampleTrain(await store.samples(), counts.train, most);
  await validationSplit(store);
  const { samples, leftOut } = foldable(drawn);
  if (leftOut.length > 0)
    work.listener?.note?.(
      `Classes with one training image are left out of the cross-validation, for the fold that holds it out could not know them: ${few(leftOut, 20)}. The best head is fitted on them too. With two different images of each they would count.`,
    );
  const plan = planSweep(samples, (one) => namesOf(store, one), options, configurations);
  const threads = options.workers === 0 ? availableParallelism() : options.workers;
  const room = roomForSweep(sizes, folds, samples.length, { bound, threads });
  if (drawn.length < counts.train)
    work.listener?.note?.(
      `${drawn.length} of ${counts.train} training images are cross-validated, those whose SHA-256 is lowest: ${whyNoMore}. The best is fitted on all of them.`,
    );
  if (room.threads < options.workers)
    work.listener?.note?.(`${room.threads} of ${threads} threads work: no more fit ${inMegabytes(bound)} (--memory).`);
  const count = await openLooks(store.path, work.listener);
  const ledger = await openLedger(ledgerPath(store.path, plan.images));
  try {
    const found = await crossValidate(store.withSamples(samples), plan, room, ledger, work);
    const candidates = ranked(plan, found.known, found.reused, score);
    if (candidates.length === 0) {
      throw new PermafrostError(
        'FIT_INVALID',
        `None of the ${plan.configurations.size} configurations could be fitted: ${found.skipped[0]?.reason}`,
      );
    }
    const started = performance.now();
    const from = { owner: 'sweep', store, bound };
    const rule = options.save ? { reject: options.reject, answers: true } : { reject: 0 };
    const { trained, passedOver } = await fitBest(candidates, from, rule, work);
    const looks = await count.add('sweep', trained.result.validatedOn, headsMeasured(trained));
    const keeping = { out: options.out, probeImages: options.probeImages };
    const kept = options.save ? await keepHead(store, { ...trained, relabelled }, keeping, work) : undefined;
    const answers =
      kept && (await keepAnswers(kept.file, { trained, store, splits: [trained.result.validatedOn] }, work));
    return {
      store: store.path,
      score,
      folds,
      seed,
      images: counts.train,
      crossValidated: samples.length,
      classes: plan.classes,
      ...(leftOut.length > 0 && { leftOut }),
      workers: room.threads,
      computed: found.known.size - found.reused.size,
      reused: found.reused.size,
      skipped: found.skipped,
      candidates,
      notToldApart: candidates.filter(({ rank, toldApart }) => rank > 1 && !toldApart).length,
      best: {
        ...trained.result,
        ...(looks && { looks }),
        ...(labels !== '' && { relabelled: relabelled.length }),
        ...(kept ?? { file: null }),
        ...(answers && { answers }),
      },
      passedOver,
      ledger: ledger.path,
      seconds: { ...found.seconds, best: (performance.now() - started) / 1000 },
    };
  } finally {
    await ledger.close();
  }
}

/** The sizes of the features that configurations are about. Throws OPTION_INVALID where the store lacks some. */
const sizesOf = (store: Store, configurations: readonly SweepConfiguration[]): GroupSize[] =>
  configurations.map((one) => ({
    ...one,
    key: featuresKey(one),
    head: headEntry(one.head).create(one.params),
    cols: store.parts(featuresOf(one)).reduce((sum, { width }) => sum + width, 0),
  }));

/** Fingerprint and pooling of each part of a configuration's features, then of its views. Throws OPTION_INVALID. */
const namesOf = (store: Store, one: SweepConfiguration): string =>
  Array.from({ length: 1 + one.views }, (_, view) => store.parts(featuresOf(one), view))
    .flat()
    .map(({ set, pooling, stored }) => `${set.fingerprint}:${pooling}${stored === pooling ? '' : ` of ${stored}`}`)
    .join(',');

/** What is known of the plan's configurations: from before, or computed and kept now. Throws INTERRUPTED. */
async function crossValidate(store: Store, plan: SweepPlan, room: SweepRoom, ledger: Ledger, work: SweepWork) {
  const { signal, listener } = work;
  const { configurations } = plan;
  for (const line of ledger.damaged)
    listener?.note?.(`${ledger.path}, ${line}: the line is left out and its result computed again.`);
  const started = performance.now();
  const known = new Map<string, LedgerEntry>();
  const meter = progressMeter('sweeping', configurations.size, listener, 'configurations');
  const report = (entry: LedgerEntry, reused: boolean): void => {
    known.set(entry.id, entry);
    meter.advance(1, Number(!reused));
    work.onCandidate?.(candidateOf(entry, reused), { done: known.size, total: configurations.size });
  };
  for (const id of configurations.keys()) {
    const entry = ledger.entries.get(id);
    if (entry === undefined) continue;
    if (isOfImages(entry, plan.y.length, plan.classes.length)) report(entry, true);
    else listener?.note?.(`${ledger.path}, ${id}: no result of these images; it is computed again.`);
  }
  const reused = new Set(known.keys());
  const missing = new Map([...configurations].filter(([id]) => !known.has(id)));
  if (reused.size > 0)
    listener?.note?.(`${reused.size} of ${configurations.size} configurations are known from before.`);

  const data = await sharedData(store, plan, room, [...missing.values()]);
  const loaded = performance.now();
  const problems = new Map<string, string>();
  const idOf = findingIds(missing);
  try {
    for await (const finding of runSweepJobs(jobsOf([...missing.values()]), room.threads, data, signal)) {
      const id = idOf(finding);
      if ('problem' in finding.found) {
        problems.set(id, finding.found.problem);
        meter.advance(1, 1);
      } else {
        const entry = entryOf(id, namesOf(store, missing.get(id)!), missing.get(id)!, finding.found);
        await ledger.append(entry);
        report(entry, false);
      }
    }
  } catch (error) {
    if (!(error instanceof PermafrostError) || error.code !== 'INTERRUPTED') throw error;
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted: ${known.size} of ${configurations.size} configurations are kept in ${ledger.path}. Run the same command again to go on.`,
      { cause: error },
    );
  }
  return {
    known,
    reused,
    skipped: [...missing].flatMap(([id, one]) => (problems.has(id) ? [{ ...one, reason: problems.get(id)! }] : [])),
    seconds: { load: (loaded - started) / 1000, sweep: (performance.now() - loaded) / 1000 },
  };
}
