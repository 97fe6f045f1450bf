import { sha256Hex } from '../../core/digest.ts';
import { cosine, row, selectRows, type Matrix } from '../../core/matrix.ts';
import { byCosine, similarPairs, type SimilarPair } from '../../classify/evaluate/similar-pairs.ts';
import type { RowAccess } from '../../store/read/access.ts';
import type { StoredSample } from '../../store/format/shard.ts';

/**
 * Cosine of pooled features from which whole maps are compared, which tell copies apart. Measured on hymenoptera with
 * 20 images re-encoded (half to full size, JPEG quality 25 to 85): pooled 0.943 or more, other images 0.954 or less;
 * maps 0.858 or more, other images 0.581 or less.
 */
const CANDIDATE_COSINE = 0.85;

/** Most pairs whose maps are compared, 20 MB: ten thousand pictures of one template would make fifty million. */
const MOST_CANDIDATES = 200_000;

/** Images whose maps are in memory at once, twice: 50 MB of VGG16's 25,088 numbers. */
const TILE = 512;

export interface NearDuplicates {
  /** Different files with maps alike, a < b, the most alike first; of equal files the first stands for all. */
  readonly pairs: readonly SimilarPair[];
  /** For each row the first one of equal pooled features (to the last bit) and maps that are alike, often itself. */
  readonly standFor: Int32Array;
  /** Pairs of alike pooled features that were not compared, because there are too many. */
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

/** Of each image the first one of equal bytes, often itself. */
export const equalFiles = (samples: readonly StoredSample[]): Int32Array =>
  firstOfKey(samples.length, (i) => samples[i]!.sha256);

/** The candidates whose whole maps are at least `threshold` alike, with that cosine; a tile meets a tile at a time. */
async function mapsAlike(
  candidates: readonly SimilarPair[],
  samples: readonly StoredSample[],
  maps: RowAccess,
  threshold: number,
): Promise<SimilarPair[]> {
  const rows = [...new Set(candidates.flatMap(({ a, b }) => [a, b]))].sort((a, b) => a - b);
  const tileOf = new Map(rows.map((one, rank) => [one, Math.floor(rank / TILE)]));
  const meetings = new Map<string, SimilarPair[]>();
  for (const pair of [...candidates].sort((p, q) => p.a - q.a || p.b - q.b)) {
    const key = `${tileOf.get(pair.a)} ${tileOf.get(pair.b)}`;
    const list = meetings.get(key);
    if (list === undefined) meetings.set(key, [pair]);
    else list.push(pair);
  }
  const held = new Map<number, ReadonlyMap<string, Float32Array>>();
  async function hold(tiles: readonly number[]): Promise<void> {
    for (const tile of held.keys()) if (!tiles.includes(tile)) held.delete(tile);
    for (const tile of tiles) {
      const ids = rows.slice(tile * TILE, (tile + 1) * TILE).map((one) => samples[one]!.id);
      if (!held.has(tile)) held.set(tile, await maps.rowsById(ids, 'flatten'));
    }
  }
  const alike: SimilarPair[] = [];
  for (const [key, pairs] of meetings) {
    const [tileA, tileB] = key.split(' ').map(Number) as [number, number];
    await hold([tileA, tileB]);
    for (const { a, b } of pairs) {
      const both = [held.get(tileA)!.get(samples[a]!.id)!, held.get(tileB)!.get(samples[b]!.id)!] as const;
      const found = cosine(...both);
      if (found >= threshold) alike.push({ a, b, cosine: found });
    }
  }
  return alike.sort(byCosine);
}

/**
 * Pairs of different files whose whole maps are at least `threshold` alike; X: l2-normalised pooled features. Images of
 * equal pooled features are compared with the first of them alone: a thousand copies of one placeholder cost no square.
 */
export async function nearDuplicates(
  X: Matrix,
  samples: readonly StoredSample[],
  maps: RowAccess,
  threshold: number,
): Promise<NearDuplicates> {
  const file = equalFiles(samples);
  const digests = Array.from(file, (first, i) => {
    if (first !== i) return '';
    const { buffer, byteOffset, byteLength } = row(X, i);
    return sha256Hex(new Uint8Array(buffer, byteOffset, byteLength));
  });
  const features = firstOfKey(samples.length, (i) => digests[file[i]!]!);
  const rows = Array.from(file.keys());
  const equal = rows
    .filter((i) => file[i] === i && features[i] !== i)
    .map((i) => ({ a: features[i]!, b: i, cosine: 1 }));
  const same = await mapsAlike(equal, samples, maps, threshold);
  const standFor = file.slice();
  for (const { a, b } of same) standFor[b] = a;
  for (const i of rows) standFor[i] = standFor[file[i]!]!;

  const distinct = rows.filter((i) => standFor[i] === i);
  const { pairs, total } = await similarPairs(selectRows(X, distinct), CANDIDATE_COSINE, MOST_CANDIDATES);
  const candidates = pairs.map((pair) => ({ ...pair, a: distinct[pair.a]!, b: distinct[pair.b]! }));
  const others = await mapsAlike(candidates, samples, maps, threshold);
  return { pairs: [...same, ...others].sort(byCosine), standFor, leftOut: total - pairs.length };
}
