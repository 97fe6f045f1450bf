import { PermafrostError } from '../../core/errors.ts';
import { DECODER } from '../../extract/image/formats/decoder.ts';
import type { MergeResult } from '../../results/machines-result.ts';
import type { FeatureSetDraft, StoreDraft, StoreFolder } from '../../store/format/manifest.ts';
import { readSketches } from '../../store/format/sketches-file.ts';
import { shardRows } from '../../store/read/shards.ts';
import type { ContentRow, StoredSample } from '../../store/format/shard.ts';
import { setsWriter, type SetsWriter, type WantedDraft } from '../../store/write/sets-writer.ts';
import { shardsTaker, type ShardsTaker } from '../../store/write/take-shards.ts';
import { keptSketches } from '../extract/remembered-images.ts';
import type { ExtractOptions } from '../extract/options.ts';
import { setsOfView, viewsRequest } from '../extract/views.ts';
import { viewSettings } from '../../extract/image/view-parameters.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import { openUnit, setOfUnit, type FinishedUnit } from './finished-units.ts';
import { listedRows, type MergedImages } from './merged-images.ts';
import type { Plan } from './plan-file.ts';
import type { UnitLists } from './unit-lists.ts';

/** What features are merged into. */
export interface MergeInto {
  readonly store: StoreDraft;
  readonly plan: Plan;
  readonly options: ExtractOptions;
  readonly units: readonly FinishedUnit[];
  /** The wanted sets of the store, in the order of the plan's. */
  readonly wanted: readonly WantedDraft[];
}

type Counted = 'added' | 'there' | 'thereExtracted' | 'copies' | 'heldOutViews' | 'linkedShards' | 'rewrittenShards';
/** What was done with rows and shards, as it is told in the end. */
export type MergeCounts = { -readonly [Count in Counted]: MergeResult[Count] };

const noCounts = (): MergeCounts => ({
  added: 0,
  there: 0,
  thereExtracted: 0,
  copies: 0,
  heldOutViews: 0,
  linkedShards: 0,
  rewrittenShards: 0,
});

/** Rows to come are not known to the writer; it needs room for those of a shard that are written anew. */
export const writerFor = ({ store, options, plan }: MergeInto, wanted: readonly WantedDraft[]): Promise<SetsWriter> =>
  setsWriter({
    store,
    wanted,
    shardBytes: options.shardMegabytes * 2 ** 20,
    decoder: DECODER,
    expectedRows: plan.units.size,
  });

function stopOn(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new PermafrostError(
      'INTERRUPTED',
      'Interrupted while units were merged. What was merged is kept, and so are the units: run the same command again to go on.',
      { cause: signal.reason },
    );
}

/** Merges the features of the images themselves, unit by unit, with their sketches; `images` are told of each unit. */
export async function mergeImages(
  into: MergeInto,
  writer: SetsWriter,
  images: MergedImages,
  lists: UnitLists,
  work: Work,
): Promise<MergeCounts> {
  const { store, units, wanted, plan } = into;
  const counts = noCounts();
  const sets = wanted.map(({ set }) => set);
  const taker = shardsTaker(store, sets, writer);
  const { contract } = plan.sets[0]!.settings;
  const sketches = await keptSketches(store.path, contract);
  const meter = progressMeter('merging', units.length, work.listener, 'units');
  for (const one of units) {
    stopOn(work.signal);
    const unit = await openUnit(one);
    const made = await readSketches(unit.path, contract);
    const extracted = new Set<string>();
    for (const shard of setOfUnit(unit, sets[0]!.fingerprint)?.shards ?? [])
      for await (const { sha256 } of shardRows(unit.path, shard)) {
        extracted.add(sha256);
        if (images.index.find(sha256) >= 0) counts.copies++;
        else if (writer.isKnown(sha256, DECODER)) {
          counts.there++;
          counts.thereExtracted++;
        } else counts.added++;
        const sketch = made.get(sha256);
        if (sketch !== undefined) sketches.take(sha256, sketch);
      }
    if (one.isPartial)
      for (const { sha256 } of listedRows(one)) {
        if (!extracted.has(sha256) && images.index.find(sha256) < 0) counts.there++;
        extracted.add(sha256);
      }
    await takeSets(taker, sets, unit, counts);
    if (one.isPartial) requireHeldBy(one, writer, 'features');
    images.add(one, await lists.samplesOf(one.unit));
    meter.advance(1, 1);
  }
  await taker.finish();
  await sketches.keep(work);
  return counts;
}

/** Throws STORE_CORRUPT where a unit counts on features, `what`, that the store does not have any more. */
function requireHeldBy(
  unit: FinishedUnit,
  writer: SetsWriter,
  what: string,
  isMeant: (row: StoredSample) => boolean = () => true,
): void {
  for (const row of listedRows(unit)) {
    if (!isMeant(row) || writer.isKnown(row.sha256)) continue;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${unit.path} did not extract ${row.path}, as the store had it when it was planned; now the store has no ${what} of it. Remove that folder, run "permafrost plan" again with the same options, and extract the unit again.`,
    );
  }
}

async function takeSets(
  taker: ShardsTaker,
  sets: readonly FeatureSetDraft[],
  unit: StoreFolder,
  counts: MergeCounts,
  isWanted?: (row: ContentRow) => boolean,
): Promise<void> {
  for (const [i, { fingerprint }] of sets.entries()) {
    const own = setOfUnit(unit, fingerprint);
    if (own === undefined) continue;
    const taken = await taker.take(i, unit, own, isWanted);
    counts.linkedShards += taken.linked;
    counts.rewrittenShards += taken.rewritten;
  }
}

/**
 * Merges the features of the views, view by view, and gives their sets. Images that are held out have none: of a data
 * set that named no splits the units made views of all.
 */
export async function mergeViews(
  into: MergeInto,
  isHeldOut: (sha256: string) => boolean,
  counts: MergeCounts,
  work: Work,
): Promise<WantedDraft[][]> {
  const { store, units, wanted, options } = into;
  const request = viewsRequest(options);
  const views: WantedDraft[][] = [];
  for (let number = 1; number <= request.count; number++) {
    const settings = { ...viewSettings(request.plan, request.seed), number };
    const { sets: wantedView } = setsOfView(store.manifest, wanted, settings);
    const sets = wantedView.map(({ set }) => set);
    const writer = await writerFor(into, wantedView);
    const taker = shardsTaker(store, sets, writer);
    const meter = progressMeter(`merging view ${number} of ${request.count}`, units.length, work.listener, 'units');
    for (const one of units) {
      stopOn(work.signal);
      const unit = await openUnit(one);
      await takeSets(taker, sets, unit, counts, ({ sha256 }) => !isHeldOut(sha256));
      for (const shard of setOfUnit(unit, sets[0]!.fingerprint)?.shards ?? [])
        for await (const { sha256 } of shardRows(unit.path, shard)) counts.heldOutViews += Number(isHeldOut(sha256));
      if (one.isPartial)
        requireHeldBy(one, writer, `view ${number}`, ({ sha256, split }) => split === 'train' && !isHeldOut(sha256));
      meter.advance(1, 1);
    }
    await taker.finish();
    views.push(wantedView);
  }
  return views;
}
