import type { Contract } from '../../../core/contract.ts';
import { sha256Hex } from '../../../core/digest.ts';
import { PermafrostError } from '../../../core/errors.ts';
import { random } from '../../../core/random.ts';
import type { Sample } from '../../../core/sample.ts';
import { withSourceOf, type Dataset } from '../../../extract/dataset/dataset.ts';
import { openImage } from '../../../extract/image/open-image.ts';
import { readIfReadable } from '../../../extract/source/image-source.ts';
import { progressMeter } from '../../progress-meter.ts';
import type { Work } from '../../work.ts';

/** Images of a class, at least: 5 neighbours are to be of it. */
const LEAST_OF_CLASS = 10;

/** Images that are compared, and the squares that contracts make of them. */
export interface CheckImages {
  readonly labels: readonly string[];
  /** For each geometry (n * size * size * 3) bytes, uint8 RGB. */
  readonly squares: readonly Uint8Array[];
  /** How many of them are no squares. */
  readonly notSquare: number;
}

/** A draw that goes on where images cannot be read: of each class in turn, of the largest classes. */
export function drawnInTurn(dataset: Dataset, count: number, seed: number): Sample[] {
  const byClass = new Map<string, Sample[]>();
  for (const sample of dataset.samples) {
    if (sample.split !== 'train') continue;
    const one = byClass.get(sample.label);
    if (one === undefined) byClass.set(sample.label, [sample]);
    else one.push(sample);
  }
  const most = Math.max(2, Math.floor(count / LEAST_OF_CLASS));
  const classes = [...byClass.keys()].sort();
  const chosen = random(seed)
    .shuffle(classes)
    .sort((a, b) => Math.min(byClass.get(b)!.length, LEAST_OF_CLASS) - Math.min(byClass.get(a)!.length, LEAST_OF_CLASS))
    .slice(0, most)
    .map((label) => random(seed).shuffle(byClass.get(label)!));
  const longest = Math.max(0, ...chosen.map((samples) => samples.length));
  return Array.from({ length: longest }, (_, i) => chosen.flatMap((samples) => samples[i] ?? [])).flat();
}

/**
 * Decodes `count` different images of a data set, once for each geometry, and keeps (count * size * size * 3) bytes of
 * each. Throws DATASET_CLASSES for less than two classes or 20 images, INTERRUPTED.
 */
export async function checkImages(
  dataset: Dataset,
  geometries: readonly [Contract, ...Contract[]],
  { count, seed, work }: { readonly count: number; readonly seed: number; readonly work: Work },
): Promise<CheckImages> {
  const { signal, listener } = work;
  const meter = progressMeter('decoding', count, listener);
  const seen = new Set<string>();
  const labels: string[] = [];
  const rows: Uint8Array[][] = geometries.map(() => []);
  let notSquare = 0;
  await withSourceOf(dataset, async (source) => {
    for (const { path, label } of drawnInTurn(dataset, count, seed)) {
      if (labels.length === count) break;
      if (signal?.aborted) throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing was written.');
      const bytes = await readIfReadable(source, path, signal);
      if (bytes === undefined) continue;
      const sha256 = sha256Hex(bytes);
      if (seen.has(sha256)) continue;
      seen.add(sha256);
      try {
        const opened = await Promise.all(geometries.map((contract) => openImage(bytes, contract, { signal })));
        const squares = await Promise.all(opened.map(({ pixels }) => pixels));
        squares.forEach((square, g) => rows[g]!.push(square));
        const [{ header }] = opened as [(typeof opened)[0]];
        if (header.width !== header.height) notSquare++;
        labels.push(label);
        meter.advance(1, 1);
      } catch (error) {
        // What cannot be decoded extraction counts and tells.
        if (!(error instanceof PermafrostError && error.code === 'IMAGE_UNDECODABLE')) throw error;
      }
    }
  });
  const classes = new Set(labels).size;
  if (labels.length < 20 || classes < 2) {
    throw new PermafrostError(
      'DATASET_CLASSES',
      `A contract is checked on 20 training images or more, of two classes or more; ${dataset.root} has ${labels.length} different ones that can be decoded, of ${classes}. Give another data set.`,
    );
  }
  return { labels, squares: rows.map((squares) => Buffer.concat(squares)), notSquare };
}
