import { cosine } from '../../core/matrix.ts';
import type { Pair } from '../../classify/copies/best-pairs.ts';
import type { SimilarPair } from '../../classify/copies/similar-pairs.ts';
import type { RowAccess } from '../../store/read/access.ts';
import type { StoredSample } from '../../store/format/shard.ts';

/** Images whose maps are in memory at once, twice: 50 MB of VGG16's 25,088 numbers. */
const TILE = 512;

/** The pairs with the cosine of their whole maps; a tile of images meets a tile at a time. */
export async function mapCosines(
  pairs: readonly Pair[],
  samples: readonly StoredSample[],
  maps: RowAccess,
): Promise<SimilarPair[]> {
  const rows = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].sort((a, b) => a - b);
  const tileOf = new Map(rows.map((one, rank) => [one, Math.floor(rank / TILE)]));
  const meetings = new Map<string, Pair[]>();
  for (const pair of [...pairs].sort((p, q) => p.a - q.a || p.b - q.b)) {
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
  const found: SimilarPair[] = [];
  for (const [key, met] of meetings) {
    const [tileA, tileB] = key.split(' ').map(Number) as [number, number];
    await hold([tileA, tileB]);
    for (const { a, b } of met) {
      const both = [held.get(tileA)!.get(samples[a]!.id)!, held.get(tileB)!.get(samples[b]!.id)!] as const;
      found.push({ a, b, cosine: cosine(...both) });
    }
  }
  return found;
}
