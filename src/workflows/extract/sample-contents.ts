import type { Sample } from '../../core/sample.ts';
import { contentIndex } from '../../store/format/content-index.ts';
import type { KnownRows } from '../../store/write/known-rows.ts';
import { idOf, type SampleRows, type StoredSample } from '../../store/format/shard.ts';

/** Which content each image of a data set was found to have. */
export interface SampleContents {
  set(path: string, sha256: string): void;
  /** The digest of an image's content, where it was found. */
  get(path: string): string | undefined;
  delete(path: string): void;
  /** The images whose content was found, in the order of the data set; `known` has the facts of each content. */
  rows(known: KnownRows): SampleRows;
}

const NONE = -1;

/** Nothing found yet; `samples` stand in the order of their paths. About 45 bytes an image; rows would take 400. */
export function sampleContents(samples: readonly Sample[]): SampleContents {
  const index = contentIndex();
  const contentOf = new Int32Array(samples.length).fill(NONE);
  let found = 0;

  /** The place of a path among the samples, by halving; -1 where it is none of them. */
  function placeOf(path: string): number {
    let [from, to] = [0, samples.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (samples[middle]!.path < path) from = middle + 1;
      else to = middle;
    }
    return samples[from]?.path === path ? from : -1;
  }

  function put(path: string, content: number): void {
    const place = placeOf(path);
    if (place < 0) return;
    found += Number(content !== NONE) - Number(contentOf[place] !== NONE);
    contentOf[place] = content;
  }

  return {
    set(path, sha256) {
      put(path, index.add(sha256));
    },
    get(path) {
      const content = contentOf[placeOf(path)] ?? NONE;
      return content === NONE ? undefined : index.digestOf(content);
    },
    delete(path) {
      put(path, NONE);
    },
    rows(known) {
      return {
        length: found,
        *[Symbol.iterator](): Generator<StoredSample> {
          for (const [i, sample] of samples.entries()) {
            const content = contentOf[i]!;
            if (content === NONE) continue;
            const sha256 = index.digestOf(content);
            yield { id: idOf(sha256), ...sample, ...known.factsOf(sha256) };
          }
        },
      };
    },
  };
}
