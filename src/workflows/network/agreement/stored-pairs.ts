import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { plural } from '../../../core/words.ts';
import { selectRows } from '../../../core/matrix.ts';
import type { FeaturePart } from '../../../core/sample.ts';
import { present, type OrReason } from '../../../results/or-reason.ts';
import { isOfStorage } from '../../../extract/source/image-source.ts';
import { isRootThere, placeOf } from '../../../extract/source/place.ts';
import type { StoredSample } from '../../../store/format/shard.ts';
import type { Store } from '../../../store/open.ts';
import type { StoredPart } from '../../../store/read/stored-parts.ts';
import type { FeatureMaker, Judge, Pairs } from './judge.ts';

/** Images that are compared: with the slowest network (VGG16 in fp32) eight seconds, once. */
const MOST = 48;
/** Fewer that can be read are no evidence. */
const LEAST = 8;

/** Held out before trained on, then by SHA-256. */
const rank = ({ split, sha256 }: StoredSample): string => `${split === 'train' ? 1 : 0} ${sha256}`;

/** The first `most` contents of many samples by `rank`, of which never more than twice as many are in memory. */
export function firstSamples(most: number): { add(sample: StoredSample): void; first(): StoredSample[] } {
  let kept: StoredSample[] = [];
  const first = (): StoredSample[] => {
    kept.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
    const contents = new Set<string>();
    kept = kept.filter(({ sha256 }) => !contents.has(sha256) && contents.add(sha256)).slice(0, most);
    return kept;
  };
  return {
    add(sample) {
      kept.push(sample);
      if (kept.length >= 2 * most) first();
    },
    first,
  };
}

/** The images of a store that engines are compared on. */
async function comparedSamples(store: Store): Promise<StoredSample[]> {
  const found = firstSamples(MOST);
  for (const sample of await store.samples()) found.add(sample);
  return found.first();
}

/** Where the storage of the images cannot be reached there are none; throws on what is of another kind. */
function unreachable(error: unknown): { readonly missing: string } {
  if (!isOfStorage(error)) throw error;
  return { missing: error.message };
}

/**
 * Stored images by the engine that made the stored features and by the one that is here, the files read where the data
 * set lies; or why there are none. Files that have changed since are left out. Throws what reading throws.
 */
export async function storedPairs(
  store: Store,
  parts: readonly FeaturePart[],
  maker: FeatureMaker,
): Promise<OrReason<Pairs>> {
  const { root } = store.manifest.dataset;
  if (!isRootThere(root)) return { missing: `the data set of the store ${store.path} is not at ${root}.` };
  const samples = await comparedSamples(store);
  const places = samples.map(({ path }) => placeOf(root, path));
  const found = await maker.ofFiles(places).catch(unreachable);
  if (!present(found)) return found;
  const stored = await store.withSamples(samples).rows({ parts, memory: 'matrix' });
  const listed = await stored.samplesOf(stored.places);
  const rowOf = new Map<string, number>();
  for (const [i, place] of stored.places.entries()) {
    const { path, sha256 } = listed.get(place)!;
    rowOf.set(`${placeOf(root, path)} ${sha256}`, i);
  }
  const pairs = found.paths.flatMap((path, i) => {
    const at = rowOf.get(`${path} ${found.contents[i]!}`);
    return at === undefined ? [] : [{ own: at, other: i }];
  });
  if (pairs.length < Math.min(LEAST, samples.length))
    return {
      missing: `of ${plural(samples.length, 'stored image')} ${pairs.length} can be read unchanged at ${root}.`,
    };
  return {
    by: 'stored images',
    own: selectRows(
      stored.matrix,
      pairs.map(({ own }) => own),
    ),
    other: selectRows(
      found.X,
      pairs.map(({ other }) => other),
    ),
  };
}

/** By what an engine of another class than that of stored features is judged, where no head is asked. */
export function judgeOfStore(store: Store, parts: readonly StoredPart[]): Judge {
  return {
    async subject() {
      const contents = (await comparedSamples(store)).map(({ sha256 }) => sha256);
      const features = parts.map(({ set, pooling }) => `${set.fingerprint} ${pooling}`);
      return sha256Hex(canonicalJson({ features, contents }));
    },
    pairs: (maker) => storedPairs(store, parts, maker),
  };
}
