import type { ViewsExtracted } from '../../results/extract-result.ts';
import { applyView } from '../../extract/image/augment.ts';
import { requireChange, viewParameters, viewSettings, type ViewPlan } from '../../extract/image/view-parameters.ts';
import type { FeatureView } from '../../store/format/fingerprint.ts';
import type { ManifestDraft, StoreFolder } from '../../store/format/manifest.ts';
import { currentSets } from '../../store/read/stored-parts.ts';
import type { HeldElsewhere } from '../../store/write/held-contents.ts';
import { setsWriter, type SetsWriterOptions, type WantedDraft } from '../../store/write/sets-writer.ts';
import { setFor, whyNotReused } from '../../store/write/store.ts';
import type { ExtractOptions } from './options.ts';
import { pass, type Found, type Pass } from './pass.ts';
import { pickSamples } from '../../extract/dataset/units.ts';
import type { Work } from '../work.ts';

/** The views that are wanted of each training image. */
export interface ViewsRequest {
  readonly count: number;
  readonly seed: number;
  readonly plan: ViewPlan;
}

/** What the options ask for. Throws OPTION_INVALID for views that would change nothing. */
export function viewsRequest(options: ExtractOptions): ViewsRequest {
  const { views: count, viewSeed: seed, shear, zoom, horizontalFlip, rotation, shift, brightness } = options;
  const plan = { shear, zoom, horizontalFlip, rotation, shift, brightness };
  if (count > 0) requireChange(plan);
  return { count, seed, plan };
}

/** The options that ask for the views that the store's data set has. Throws STORE_EMPTY where their sets were lost. */
export function viewsOf(store: StoreFolder): Partial<ExtractOptions> {
  const count = store.manifest.dataset.views?.length ?? 0;
  if (count === 0) return {};
  const { seed, plan } = currentSets(store, 1)[0].set.settings.view!;
  return { views: count, viewSeed: seed, ...(plan as ViewPlan) };
}

/** By pass, 0 for the images themselves and 1, 2 ... for views, the contents whose features another store has. */
export type ElsewhereByPass = (pass: number) => HeldElsewhere | undefined;

/** Where views go: beside the sets of the images themselves, after the pass over these. */
interface ViewsInto extends Omit<SetsWriterOptions, 'expectedRows' | 'poolings' | 'elsewhere'> {
  readonly elsewhere?: ElsewhereByPass | undefined;
  /** Images that fail now, or changed since, are taken out of it. */
  readonly found: Found;
}

const isWanted = ({ poolings }: WantedDraft): boolean => poolings.length > 0;

/** The sets of view `number`, beside those of the images themselves. */
export function setsOfView(
  manifest: ManifestDraft,
  wanted: readonly WantedDraft[],
  view: FeatureView,
): { readonly sets: WantedDraft[]; readonly because: string[] } {
  const because: string[] = [];
  const sets = wanted.map(({ set: own, poolings }) => {
    if (poolings.length === 0) return { set: own, poolings };
    const settings = { ...own.settings, view };
    const reason = whyNotReused(manifest, settings, poolings);
    if (reason !== undefined) because.push(reason);
    const set = setFor(manifest, { ...own, settings });
    // Views are as near to float32 as the images themselves were measured to be.
    if (own.quantization !== undefined) set.quantization = own.quantization;
    return { set, poolings };
  });
  return { sets, because };
}

/** The sets of view 1, 2 ... */
interface ViewsFound {
  readonly sets: readonly WantedDraft[][];
  readonly result: ViewsExtracted;
  /** Images that failed in the pass of view 1, 2 ... */
  readonly failed: readonly number[];
}

/**
 * Extracts the views of the training images, one pass a view, and gives the sets of view 1, 2 ...; undefined where none
 * are asked for, or of no set a pooling. Images that cannot be read any more, or whose content changed, become
 * failures. Throws what `pass` throws.
 */
export async function extractViews(
  plan: Omit<Pass, 'writer' | 'view'>,
  { found, elsewhere, ...into }: ViewsInto,
  work: Work,
): Promise<ViewsFound | undefined> {
  const request = viewsRequest(plan.options);
  if (request.count === 0 || !into.wanted.some(isWanted)) return undefined;
  const { contract } = plan.extractor;
  const views: WantedDraft[][] = [];
  const reasons = new Set<string>();
  const failed: number[] = [];
  let [extracted, reused] = [0, 0];
  for (let number = 1; number <= request.count; number++) {
    const settings = { ...viewSettings(request.plan, request.seed), number };
    const { sets, because } = setsOfView(into.store.manifest, into.wanted, settings);
    const { samples: known, units } = pickSamples(
      plan.dataset.samples,
      plan.units,
      ({ path, split }) => split === 'train' && found.contents.get(path) !== undefined,
    );
    const failedBefore = found.failed.length;
    const expectedRows = Math.min(known.length, units.size);
    const writer = await setsWriter({ ...into, wanted: sets, expectedRows, elsewhere: elsewhere?.(number) });
    const view = {
      name: `view ${number} of ${request.count}`,
      apply: (pixels: Uint8Array, sha256: string) =>
        applyView(pixels, contract.size, viewParameters(request.plan, request.seed, sha256, number)),
    };
    const dataset = { ...plan.dataset, samples: known, failures: [] };
    const seen = await pass({ ...plan, dataset, units, writer, view }, work);
    if (seen.extracted > 0) for (const reason of because) reasons.add(reason);
    extracted += seen.extracted;
    for (const failure of seen.failed) {
      found.failed.push(failure);
      found.contents.delete(failure.path);
    }
    for (const { path } of known) {
      const content = seen.contents.get(path);
      if (content === undefined || content === found.contents.get(path)) continue;
      found.failed.push({ path, code: 'IMAGE_UNREADABLE', reason: 'The file changed while it was extracted.' });
      found.contents.delete(path);
    }
    failed.push(found.failed.length - failedBefore);
    reused += known.length - seen.extracted - seen.failed.length;
    views.push(sets.filter(isWanted));
  }
  const extractedBecause = reasons.size > 0 ? [...reasons].join('; ') : null;
  return { sets: views, result: { ...request, extracted, reused, extractedBecause }, failed };
}
