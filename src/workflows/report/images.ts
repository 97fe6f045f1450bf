import type { Range3 } from '../../results/report-data.ts';
import type { Split } from '../../core/sample.ts';
import type { InspectResult } from '../../results/store-results.ts';
import { contentKey, highestKey } from '../../store/read/digests/content-key.ts';
import type { SampleRows, StoredSample } from '../../store/format/shard.ts';

/** What is known of all images without their features, and which of them a page shows. */
export interface ReportedDataset {
  readonly images: number;
  readonly classes: InspectResult['classes'];
  /** Pixels as stored; null for no images. */
  readonly sizes: { readonly width: Range3; readonly height: Range3 } | null;
  /** Images whose key (contentKey) is at most this are in the page. */
  readonly highest: number;
}

/** Smallest, median and largest of numbers that are counted by value. */
function rangeOf(counts: ReadonlyMap<number, number>, total: number): Range3 {
  const sorted = [...counts].sort(([a], [b]) => a - b);
  let left = Math.floor((total - 1) / 2);
  const [median] = sorted.find(([, count]) => (left -= count) < 0)!;
  return [sorted[0]![0], median, sorted.at(-1)![0]];
}

/** Counts images, keeping eight bytes of each. Of more than `most` the page has those with the lowest SHA-256. */
export function reportedDataset(images: SampleRows, most: number): ReportedDataset {
  const classes = new Map<string, Partial<Record<Split, number>>>();
  const [widths, heights] = [new Map<number, number>(), new Map<number, number>()];
  const count = (counts: Map<number, number>, value: number): void =>
    void counts.set(value, (counts.get(value) ?? 0) + 1);
  const keys: number[] = [];
  for (const sample of images) {
    const { label, split, width, height } = sample;
    const counts = classes.get(label) ?? {};
    counts[split] = (counts[split] ?? 0) + 1;
    classes.set(label, counts);
    count(widths, width);
    count(heights, height);
    keys.push(contentKey(sample));
  }
  const total = keys.length;
  return {
    images: total,
    classes: [...classes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, splits]) => ({ label, splits })),
    sizes: total === 0 ? null : { width: rangeOf(widths, total), height: rangeOf(heights, total) },
    highest: highestKey(keys, most),
  };
}

/** The images of a page in the order of their paths. */
export interface PageImages {
  readonly samples: readonly StoredSample[];
  /** Where each is among the images that are judged, in the order of their paths; -1 for others. */
  readonly places: Int32Array;
}

/** The images that a summary takes into the page, and those of these paths. */
export function pageImages(
  images: SampleRows,
  { highest }: ReportedDataset,
  paths: ReadonlySet<string>,
  isJudged: (sample: StoredSample) => boolean,
): PageImages {
  let judged = 0;
  const samples: StoredSample[] = [];
  const places: number[] = [];
  for (const sample of images) {
    const place = isJudged(sample) ? judged++ : -1;
    if (contentKey(sample) > highest && !paths.has(sample.path)) continue;
    samples.push(sample);
    places.push(place);
  }
  return { samples, places: Int32Array.from(places) };
}
