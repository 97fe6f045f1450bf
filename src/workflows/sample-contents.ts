import type { Sample } from '../core/sample.ts';
import { contentIndex } from '../store/content-index.ts';
import type { KnownRows } from '../store/known-rows.ts';
import { idOf, type SampleRows, type StoredSample } from '../store/shard.ts';

/** Which content each image of a data set was found to have. */
export interface SampleContents {
  set(path: string, sha256: string): void;
  /** The digest of an image's content, where it was found. */
  get(path: string): string | undefined;
  /** Forgets an image. */
  delete(path: string): void;
  /** The rows of the images whose content was found, in the order of the data set, made one by one. `known` has the facts of each content. */
  rows(known: KnownRows): SampleRows;
}

/** Nothing found yet. About 50 bytes an image, where rows would take 400. */
export function sampleContents(samples: readonly Sample[]): SampleContents {
  const index = contentIndex();
  const contentOf = new Map<string, number>();
  return {
    set(path, sha256) {
      contentOf.set(path, index.add(sha256));
    },
    get(path) {
      const number = contentOf.get(path);
      return number === undefined ? undefined : index.digestOf(number);
    },
    delete(path) {
      contentOf.delete(path);
    },
    rows(known) {
      return {
        length: contentOf.size,
        *[Symbol.iterator](): Generator<StoredSample> {
          for (const sample of samples) {
            const number = contentOf.get(sample.path);
            if (number === undefined) continue;
            const sha256 = index.digestOf(number);
            yield { id: idOf(sha256), ...sample, ...known.factsOf(sha256) };
          }
        },
      };
    },
  };
}
