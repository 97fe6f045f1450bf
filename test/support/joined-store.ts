import { random } from '../../src/core/random.ts';
import type { FeaturePart } from '../../src/core/sample.ts';
import { commitDataset, openForWriting, setFor } from '../../src/store/write/store.ts';
import { featureWriter } from '../../src/store/write/writer.ts';
import { ENGINE, featuresOf, settingsWith, storedRow } from './stored-rows.ts';
import { whole } from './stores.ts';

/** Images of which some stand under several names. */
const ROWS = Array.from({ length: 40 }, (_, i) => {
  const path = `${String(i).padStart(2, '0')}.jpg`;
  const content = i % 6 === 5 ? `${String(i - 3).padStart(2, '0')}.jpg` : path;
  return storedRow(path, { content, label: i % 2 ? 'ant' : 'bee', split: i % 4 === 0 ? 'val' : 'train' });
});
/** Wide enough that single rows of a file are looked up rather than the file read whole. */
export const WIDE = { flatten: 60_000, avg: 6, max: 5 } as const;
/** Parts that stand side by side: narrow, wide, narrow. */
export const PARTS: readonly FeaturePart[] = [
  { cut: 'block5_pool', pooling: 'avg' },
  { cut: 'block4_pool', pooling: 'flatten' },
  { cut: 'block5_pool', pooling: 'max' },
];

/** Two cuts and a view of each, every set in an order and in shards of its own. */
export async function joinedStore(store: string, sameOrder = false) {
  const { manifest } = await openForWriting(store, '0.0.0');
  const made = async (cut: string, seed: number, perShard: number, view?: number) => {
    const widths = cut === 'block4_pool' ? WIDE : { ...WIDE, flatten: 24 };
    const set = setFor(manifest, {
      settings: settingsWith({
        cut,
        ...(view && { view: { recipe: 'test', seed: 1, plan: { zoom: 0.2 }, number: view } }),
      }),
      engine: ENGINE,
      widths,
    });
    const shardBytes = perShard * widths.flatten * 2;
    const writer = featureWriter({
      store: { path: store, manifest },
      set,
      expectedRows: ROWS.length,
      shardBytes,
    });
    const seen = new Set<string>();
    const rows = ROWS.filter(({ sha256 }) => !seen.has(sha256) && seen.add(sha256));
    const order = sameOrder ? rows : random(seed).shuffle([...rows]);
    const { features } = featuresOf(order, widths);
    // A view differs from its image.
    for (const { data } of features.values()) for (let at = 0; at < data.length; at++) data[at]! += view ?? 0;
    await writer.append({ rows: order, features });
    await writer.seal();
    return set;
  };
  const sets = [await made('block5_pool', 1, 20), await made('block4_pool', 2, 7)];
  const view = [await made('block5_pool', 3, 9, 1), await made('block4_pool', 4, 5, 1)];
  await commitDataset(
    { path: store, manifest },
    {
      root: '/pictures',
      sets: sets.flatMap(whole),
      views: [view.flatMap(whole)],
      samples: ROWS,
      failures: [],
    },
  );
  return { store, manifest };
}
