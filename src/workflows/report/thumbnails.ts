import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { present, type Judgement, type OrReason, type Thumbnails } from '../../results/report-data.ts';
import type { CheckResult } from '../../results/check-result.ts';
import { thumbnail } from '../../extract/image/thumbnail.ts';
import { isOfStorage, type ImageSource } from '../../extract/source/image-source.ts';
import { withSource } from '../../extract/source/open.ts';
import { placeOf } from '../../extract/source/place.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Work } from '../work.ts';
import { progressMeter } from '../progress-meter.ts';
import type { MapSample } from './map.ts';

/** Pixels of a side. */
const SIDE = 96;
/** Pictures in work at once: libuv has four threads. */
const LANES = 4;
/** Base64 characters of all pictures together, so that a page stays below 30 MB whatever its pictures. */
const MOST_CHARACTERS = 20_000_000;

/** Images in the order of their worth: what is shown at once, what a click shows, the map, the rest. */
export function worthShowing(
  samples: readonly StoredSample[],
  judgement: OrReason<Judgement>,
  check: CheckResult,
  map: OrReason<MapSample>,
): number[] {
  const order = new Set<number>();
  const indexOf = new Map(samples.map(({ path }, i) => [path, i]));
  const addPaths = (paths: readonly string[]): void => {
    for (const path of paths) {
      const image = indexOf.get(path);
      // Equal files are looked for among all images, of which the page may hold a sample.
      if (image !== undefined) order.add(image);
    }
  };
  if (present(judgement)) {
    const add = ({ image, neighbors }: Judgement['judged'][number]): void => {
      order.add(image);
      for (const neighbor of neighbors) order.add(neighbor.image);
    };
    for (const at of judgement.mistakes) add(judgement.judged[at]!);
    addPaths(check.suspects.map(({ path }) => path));
    for (const at of judgement.unknown ?? []) order.add(judgement.judged[at]!.image);
    for (const entry of judgement.judged) if (entry.predicted !== samples[entry.image]!.label) add(entry);
  }
  addPaths(check.suspects.map(({ path }) => path));
  addPaths(check.leaks.flatMap(({ train, held }) => [held, train]));
  addPaths(check.near.flatMap(({ a, b }) => [a, b]));
  addPaths(check.exact.flat());
  addPaths(check.alike.flatMap(({ a, b }) => [a, b]));
  if (present(map)) for (const image of map.images) order.add(image);
  if (present(judgement)) {
    for (const { image } of judgement.judged) order.add(image);
    for (const { neighbors } of judgement.judged) for (const { image } of neighbors) order.add(image);
  }
  return [...order];
}

/** One picture, from a file that is still the one whose features are stored. Throws PermafrostError. */
async function picture(
  source: ImageSource,
  { path, sha256 }: StoredSample,
  signal: AbortSignal | undefined,
): Promise<string> {
  const bytes = await source.read(path, signal).catch((cause: unknown) => {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError('IMAGE_UNREADABLE', reasonOf(cause), { cause });
  });
  if (sha256Hex(bytes) !== sha256)
    throw new PermafrostError(
      'IMAGE_UNREADABLE',
      `${placeOf(source.root, path)} is another file now than the one that was extracted.`,
    );
  return Buffer.from(await thumbnail(bytes, SIDE)).toString('base64');
}

/** Pictures of at most `most` of `wanted` images of the data set at `root`; what cannot be shown is counted. */
export async function thumbnails(
  root: string,
  samples: readonly StoredSample[],
  wanted: readonly number[],
  most: number,
  { signal, listener }: Work,
): Promise<Thumbnails> {
  const data = new Map<number, string>();
  const chosen = wanted.slice(0, most);
  const meter = progressMeter('pictures', chosen.length, listener);
  let [next, characters, unavailable, overBudget] = [0, 0, 0, samples.length - chosen.length];
  let problem: string | null = null;
  // Where the storage cannot be reached it is not asked again for each image.
  let isUnreachable = false;
  const lane = async (source: ImageSource): Promise<void> => {
    while (next < chosen.length) {
      const image = chosen[next++]!;
      if (signal?.aborted === true)
        throw new PermafrostError('INTERRUPTED', 'The report was interrupted; nothing was written.', {
          cause: signal.reason,
        });
      if (characters > MOST_CHARACTERS) {
        overBudget++;
        continue;
      }
      if (isUnreachable) {
        unavailable++;
        continue;
      }
      try {
        const text = await picture(source, samples[image]!, signal);
        characters += text.length;
        data.set(image, text);
      } catch (error) {
        isUnreachable ||= isOfStorage(error);
        if (!isUnreachable && !(error instanceof PermafrostError && error.code.startsWith('IMAGE_'))) throw error;
        unavailable++;
        problem ??= reasonOf(error);
      }
      meter.advance(1, 1);
    }
  };
  await withSource({ root }, (source) => Promise.all(Array.from({ length: LANES }, () => lane(source))));
  return { data: new Map([...data].sort(([a], [b]) => a - b)), overBudget, unavailable, problem };
}
