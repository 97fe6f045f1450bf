import { sha256Hex } from '../../core/digest.ts';
import { row, selectRows, type Matrix } from '../../core/matrix.ts';
import type { Pair } from '../../classify/copies/best-pairs.ts';
import { copyBySketch, findCopies, type CopyPair } from '../../classify/copies/find-copies.ts';
import { byCosine, type SimilarPair } from '../../classify/copies/similar-pairs.ts';
import type { RowAccess } from '../../store/read/access.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Sketches } from '../../store/format/sketches-file.ts';
import type { Work } from '../work.ts';
import { mapCosines } from './map-cosines.ts';

/**
 * Cosine of whole maps from which two images are copies where no sketch tells. On flowers nine of twelve pairs above
 * 0.87 were of one picture and few below; re-encoded photographs have 0.86 or more.
 */
const COPY_COSINE = 0.9;

/** What is compared: row i of X (l2-normalised pooled features) and of samples is one image. */
export interface Compared {
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
  readonly sketches: Sketches;
  /** Whole maps, where they are stored. */
  readonly maps: RowAccess | undefined;
  /** Cosine of whole maps from which images that are no copies are alike. */
  readonly threshold: number;
}

export interface NearCopies {
  /** Different files of one picture, a < b, the most alike first; of equal files the first stands for all. */
  readonly pairs: readonly CopyPair[];
  /** Other pairs with maps alike, the most alike first: the same scene, or the like; the cosine is that of the maps. */
  readonly alike: readonly SimilarPair[];
  /** For each row the first one of equal bytes, or of equal pooled features (to the last bit) and one picture. */
  readonly standFor: Int32Array;
  /** Pairs that were proposed and not looked at, because there are too many. */
  readonly leftOut: number;
}

/** Of each row the first one with the same key. */
function firstOfKey(rows: number, keyOf: (row: number) => string): Int32Array {
  const firsts = new Map<string, number>();
  return Int32Array.from({ length: rows }, (_, i) => {
    const key = keyOf(i);
    const first = firsts.get(key) ?? i;
    firsts.set(key, first);
    return first;
  });
}

/** How alike a pair is, for the order. */
const likeness = ({ correlation, cosine }: CopyPair): number => correlation ?? cosine;
const byLikeness = (p: CopyPair, q: CopyPair): number => likeness(q) - likeness(p) || p.a - q.a || p.b - q.b;

/** Pairs of which no sketch tells, by their maps: copies, and pairs that are alike. Without maps neither. */
async function byMaps(
  pairs: readonly Pair[],
  { maps, samples, threshold }: Compared,
): Promise<{ copies: CopyPair[]; alike: SimilarPair[] }> {
  if (maps === undefined) return { copies: [], alike: [] };
  const found = await mapCosines(pairs, samples, maps);
  return {
    copies: found
      .filter(({ cosine }) => cosine >= COPY_COSINE)
      .map((pair) => ({ ...pair, correlation: null, mirrored: false })),
    alike: found.filter(({ cosine }) => cosine >= threshold && cosine < COPY_COSINE),
  };
}

/**
 * Images of pooled features that are equal to the last bit, each with the first of them, as far as both are one
 * picture: a thousand copies of one placeholder cost no square.
 */
async function equalLooking(compared: Compared, file: Int32Array): Promise<CopyPair[]> {
  const { X, samples, sketches } = compared;
  const digests = Array.from(file, (first, i) => {
    if (first !== i) return '';
    const { buffer, byteOffset, byteLength } = row(X, i);
    return sha256Hex(new Uint8Array(buffer, byteOffset, byteLength));
  });
  const features = firstOfKey(samples.length, (i) => digests[file[i]!]!);
  const copies: CopyPair[] = [];
  const unjudged: Pair[] = [];
  const sketchOf = samples.map(({ sha256 }) => sketches.get(sha256));
  for (const [b, first] of file.entries()) {
    const a = features[b]!;
    if (first !== b || a === b) continue;
    const copy = copyBySketch(X, sketchOf, { a, b });
    if (copy === null) unjudged.push({ a, b });
    else if (copy !== undefined) copies.push(copy);
  }
  // Without maps nothing tells more than features that are equal to the last bit.
  const judged =
    compared.maps === undefined
      ? unjudged.map((pair) => ({ ...pair, cosine: 1, correlation: null, mirrored: false }))
      : (await byMaps(unjudged, compared)).copies;
  return [...copies, ...judged];
}

/** Pairs of different files that show one picture, and pairs that are merely alike. */
export async function nearCopies(compared: Compared, { signal, listener }: Work): Promise<NearCopies> {
  const { X, samples, sketches, maps, threshold } = compared;
  const file = firstOfKey(samples.length, (i) => samples[i]!.sha256);
  const same = await equalLooking(compared, file);
  const standFor = file.slice();
  for (const { a, b } of same) standFor[b] = a;
  const rows = Array.from(file.keys());
  for (const i of rows) standFor[i] = standFor[file[i]!]!;

  const distinct = rows.filter((i) => standFor[i] === i);
  const found = await findCopies(
    selectRows(X, distinct),
    distinct.map((i) => sketches.get(samples[i]!.sha256)),
    {
      signal,
      progress: (done, total) => listener?.progress?.({ stage: 'comparing', done, total, perSecond: 0, unit: 'pairs' }),
    },
  );
  const placed = <P extends Pair>(pair: P): P => ({ ...pair, a: distinct[pair.a]!, b: distinct[pair.b]! });
  const judged = await byMaps(found.unjudged.map(placed), compared);
  const others = maps === undefined ? [] : await mapCosines(found.others.map(placed), samples, maps);
  return {
    pairs: [...same, ...found.copies.map(placed), ...judged.copies].sort(byLikeness),
    alike: [...judged.alike, ...others.filter(({ cosine }) => cosine >= threshold)].sort(byCosine),
    standFor,
    leftOut: found.leftOut,
  };
}
