import type { Split } from '../../core/sample.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import { contentKey, highestKey } from '../../store/read/digests/content-key.ts';
import type { SampleRows, StoredSample } from '../../store/format/shard.ts';

/** What is known of all images of a store without their features. */
export interface DatasetSummary {
  readonly images: number;
  /** Images by class and split. */
  readonly classes: ReadonlyMap<string, Readonly<Record<Split, number>>>;
  /** Files of equal bytes: groups of two and more, each in the order of the paths, by the path of its first. */
  readonly copies: readonly (readonly StoredSample[])[];
  /** The images to compare by their features, in the order of the paths. */
  readonly compared: readonly StoredSample[];
}

/**
 * Counts images and finds equal files one sample at a time: about 50 bytes an image. `compared` are at most `most`,
 * those whose SHA-256 is lowest: the same on any machine, copies together.
 */
export function summarizeDataset(samples: SampleRows, most: number): DatasetSummary {
  const index = contentIndex();
  const classes = new Map<string, Record<Split, number>>();
  const keys: number[] = [];
  const isRepeated = new Set<number>();
  for (const sample of samples) {
    const before = index.size;
    const content = index.add(sample.sha256);
    if (index.size === before) isRepeated.add(content);
    const counts = classes.get(sample.label) ?? { train: 0, val: 0, test: 0 };
    counts[sample.split]++;
    classes.set(sample.label, counts);
    keys.push(contentKey(sample));
  }
  const images = keys.length;
  const highest = highestKey(keys, most);
  const copies = new Map<number, StoredSample[]>();
  const compared: StoredSample[] = [];
  for (const sample of samples) {
    if (contentKey(sample) <= highest) compared.push(sample);
    const content = isRepeated.size === 0 ? -1 : index.find(sample.sha256);
    if (!isRepeated.has(content)) continue;
    const group = copies.get(content);
    if (group === undefined) copies.set(content, [sample]);
    else group.push(sample);
  }
  return { images, classes, copies: [...copies.values()], compared };
}
