import type { Sample } from '../../core/sample.ts';
import { contentIndex, type ContentIndex } from '../../store/format/content-index.ts';
import type { KnownRows } from '../../store/write/known-rows.ts';
import { idOf, type SampleRows, type StoredSample } from '../../store/format/shard.ts';

/** Which content each image of a data set was found to have. */
export interface SampleContents {
  set(path: string, sha256: string): void;
  /** The digest of an image's content, where it was found. */
  get(path: string): string | undefined;
  delete(path: string): void;
  /** The contents that were found, numbered; and that of each sample, NO_CONTENT where none was, shape (samples). */
  readonly index: Pick<ContentIndex, 'size' | 'digestOf'>;
  readonly numbers: Int32Array;
  /** The same contents, of the same images in the same order under other splits. */
  under(samples: readonly Sample[]): SampleContents;
  /** The images whose content was found, in the order of the data set; `known` has the facts of each content. */
  rows(known: KnownRows): SampleRows;
}

export const NO_CONTENT = -1;

/** Nothing found yet; `samples` stand in the order of their paths. About 45 bytes an image; rows would take 400. */
export function sampleContents(samples: readonly Sample[]): SampleContents {
  return contentsOf(samples, contentIndex(), new Int32Array(samples.length).fill(NO_CONTENT));
}

function contentsOf(samples: readonly Sample[], index: ContentIndex, numbers: Int32Array): SampleContents {
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
    numbers[place] = content;
  }

  return {
    index,
    numbers,
    under: (others) => contentsOf(others, index, numbers),
    set(path, sha256) {
      put(path, index.add(sha256));
    },
    get(path) {
      const content = numbers[placeOf(path)] ?? NO_CONTENT;
      return content === NO_CONTENT ? undefined : index.digestOf(content);
    },
    delete(path) {
      put(path, NO_CONTENT);
    },
    rows(known) {
      return {
        length: numbers.reduce((found, number) => found + Number(number !== NO_CONTENT), 0),
        *[Symbol.iterator](): Generator<StoredSample> {
          for (const [i, sample] of samples.entries()) {
            const content = numbers[i]!;
            if (content === NO_CONTENT) continue;
            const sha256 = index.digestOf(content);
            yield { id: idOf(sha256), ...sample, ...known.factsOf(sha256) };
          }
        },
      };
    },
  };
}
