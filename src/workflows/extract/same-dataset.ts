import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import { readIfReadable, type ImageSource } from '../../extract/source/image-source.ts';
import { absoluteRoot } from '../../extract/source/place.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { SampleRows, StoredSample } from '../../store/format/shard.ts';
import type { Work } from '../work.ts';
import { readableList } from './readable-list.ts';

/** Files that are read of the data set, and of those that the store lists. */
const COMPARED = 64;
/** Of either, the share that must agree. */
const SAME = 0.5;

/** Numbers spread evenly over 0 to length - 1, at most COMPARED. */
function spread(length: number): Set<number> {
  const count = Math.min(length, COMPARED);
  return new Set(Array.from({ length: count }, (_, i) => Math.floor((i * length) / count)));
}

async function digestOf(source: ImageSource, path: string): Promise<string | undefined> {
  const bytes = await readIfReadable(source, path);
  return bytes && sha256Hex(bytes);
}

/**
 * Whether a data set is the one that a store lists, at another place: of at most 64 images spread over the data set
 * half or more are stored by content, or of as many of the list half or more lie in its folder under the same path with
 * the same content. So one that was moved, grew, shrank or was sorted into other folders is the same.
 */
async function isSame(source: ImageSource, { samples }: Dataset, listed: SampleRows): Promise<boolean> {
  const contents = contentIndex();
  const places = spread(listed.length);
  const compared: StoredSample[] = [];
  let at = 0;
  for (const sample of listed) {
    contents.add(sample.sha256);
    if (places.has(at++)) compared.push(sample);
  }
  let known = 0;
  const asked = spread(samples.length);
  for (const i of asked) {
    const sha256 = await digestOf(source, samples[i]!.path);
    known += Number(sha256 !== undefined && contents.find(sha256) >= 0);
  }
  if (known >= SAME * asked.size) return true;
  let there = 0;
  for (const { path, sha256 } of compared) there += Number((await digestOf(source, path)) === sha256);
  return there >= SAME * compared.length;
}

/**
 * Tells where a store holds the data set of another folder. Throws STORE_DATASET where that is another data set and the
 * store was not named: its heads and reports would be replaced.
 */
export async function requireSameDataset(
  store: StoreFolder,
  dataset: Dataset,
  { named, source }: { readonly named: boolean; readonly source: ImageSource },
  work: Work,
): Promise<void> {
  const { root: before } = store.manifest.dataset;
  const root = absoluteRoot(dataset.root);
  if (before === '' || before === root) return;
  const listed = await readableList(store, work);
  if (listed !== undefined && (await isSame(source, dataset, listed))) {
    work.listener?.note?.(`The data set of the store was at ${before}; it is at ${root} now.`);
    return;
  }
  if (!named)
    throw new PermafrostError(
      'STORE_DATASET',
      `${store.path} is the store of another data set, ${before}, and ${root} would take its place: its list, results.json, report.html and heads of the same settings. Give this data set a store of its own with --store (such as ${store.path.replace(/\.permafrost$/, '')}-2.permafrost), or name that one to replace what is in it: --store ${store.path}.`,
    );
  work.listener?.note?.(
    `The store held another data set, ${before}; it now holds ${root}. Features of the former are kept; results.json, report.html and heads of the same settings are replaced when heads are trained.`,
  );
}
