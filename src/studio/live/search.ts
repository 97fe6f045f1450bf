import type { FeaturePart } from '../../core/sample.ts';
import type { Matrix } from '../../core/matrix.ts';
import type { ImageView, NearImage, MapPlace, SearchAnswer } from '../api/studio-data.ts';
import { agreementText } from '../../report/answers/answer-report.ts';
import type { LiveHeads } from './heads.ts';
import type { MapPlaces } from './map.ts';
import type { LiveNetwork } from './network.ts';
import type { LiveReview } from './review.ts';
import { cardOf, type Snapshot } from './snapshot.ts';

/** Neighbours that are shown. */
const NEIGHBORS = 12;
/** Neighbours on the map that a new image is placed between. */
const PLACED_BY = 5;

/** What a snapshot is seen through: by it neighbours are found. */
const shownPart = ({ features, pooling }: Snapshot): FeaturePart => ({ cut: features.name, pooling });

/** The `k` stored images that are nearest to one row of features, all splits; `without` is left out. */
async function nearImages(snapshot: Snapshot, query: Matrix, k: number, without?: number): Promise<NearImage[]> {
  const rows = await snapshot.rows();
  const { k: found, indices, distances } = await rows.search(query, k + (without === undefined ? 0 : 1));
  return Array.from({ length: found }, (_, j) => ({ ...cardOf(snapshot, indices[j]!), distance: distances[j]! }))
    .filter((image) => image.row !== without)
    .slice(0, k);
}

/**
 * Where a new image lies on the map: the mean of the nearest images there, weighted by one over their distance.
 * umap-js places new rows only by its own approximate index, and this map is drawn from exact neighbours.
 */
function placeAmong(near: readonly NearImage[], places: MapPlaces): MapPlace | null {
  const on = near.filter((image) => places.has(image.row)).slice(0, PLACED_BY);
  if (on.length === 0) return null;
  let [x, y, sum] = [0, 0, 0];
  for (const image of on) {
    const place = places.get(image.row)!;
    const weight = 1 / Math.max(image.distance, 1e-4);
    x += weight * place.x;
    y += weight * place.y;
    sum += weight;
  }
  return { x: x / sum, y: y / sum };
}

/** What heads and neighbours say of a picture that is not in the store. Throws what LiveNetwork.extract throws. */
export async function search(
  bytes: Uint8Array,
  ids: readonly string[],
  {
    snapshot,
    network,
    heads,
    places,
  }: {
    readonly snapshot: Snapshot;
    readonly network: LiveNetwork;
    readonly heads: LiveHeads;
    readonly places: MapPlaces;
  },
): Promise<SearchAnswer> {
  const started = performance.now();
  const seen = shownPart(snapshot);
  const parts = [seen, ...(await heads.partsOf(ids, snapshot))];
  const { networkMs, agreements, sha256, width, height, ...extracted } = await network.extract(bytes, snapshot, parts);
  const picture = {
    sha256,
    featuresIn: (part: FeaturePart) => Promise.resolve(extracted.featuresIn(part)),
  };
  const [answers, near] = await Promise.all([
    Promise.all(ids.map((id) => heads.answer(id, picture, snapshot))),
    nearImages(snapshot, extracted.featuresIn(seen), Math.max(NEIGHBORS, 4 * PLACED_BY)),
  ]);
  return {
    snapshot: snapshot.name,
    sha256,
    width,
    height,
    engine: agreements.length === 0 ? null : agreements.map(agreementText).join(' '),
    answers,
    neighbors: near.slice(0, NEIGHBORS),
    place: placeAmong(near, places),
    ms: { total: performance.now() - started, network: networkMs },
  };
}

/** Everything about one stored image, without the network. Throws OPTION_INVALID, FINGERPRINT_MISMATCH. */
export async function viewImage(
  at: number,
  ids: readonly string[],
  { snapshot, heads, review }: { readonly snapshot: Snapshot; readonly heads: LiveHeads; readonly review: LiveReview },
): Promise<ImageView> {
  const { sha256, width, height, orientation, path } = snapshot.samples.sample(at);
  const known = (await heads.list(snapshot)).filter(({ id }) => ids.includes(id));
  const picture = { sha256, featuresIn: (part: FeaturePart) => snapshot.featuresOf(at, part) };
  const answers = await Promise.all(known.map(({ id }) => heads.answer(id, picture, snapshot)));
  const X = await snapshot.featuresOf(at, shownPart(snapshot));
  return {
    ...cardOf(snapshot, at),
    snapshot: snapshot.name,
    sha256,
    width,
    height,
    orientation,
    answers,
    neighbors: await nearImages(snapshot, X, NEIGHBORS, at),
    decided: review.decisions(snapshot).get(path) ?? null,
  };
}
