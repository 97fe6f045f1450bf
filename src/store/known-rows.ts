import type { ImageFacts } from '../core/sample.ts';
import { contentIndex } from './content-index.ts';
import type { FeatureSet } from './manifest.ts';
import { setRows } from './reader.ts';

/** The contents whose features a set holds, with what was read from each image's header. About 55 bytes a content. */
export interface KnownRows {
  readonly size: number;
  has(sha256: string): boolean;
  add(facts: ImageFacts): void;
  /** The facts of a content that was added. */
  factsOf(sha256: string): ImageFacts;
}

/** No contents yet. */
export function knownRows(): KnownRows {
  const index = contentIndex();
  // Width, height and orientation of content n at 3n.
  let facts = new Uint32Array(192);
  return {
    get size() {
      return index.size;
    },
    has: (sha256) => index.find(sha256) >= 0,
    add({ sha256, width, height, orientation }) {
      const at = 3 * index.add(sha256);
      if (at === facts.length) {
        const more = new Uint32Array(2 * facts.length);
        more.set(facts);
        facts = more;
      }
      facts.set([width, height, orientation], at);
    },
    factsOf(sha256) {
      const at = 3 * index.find(sha256);
      return { sha256, width: facts[at]!, height: facts[at + 1]!, orientation: facts[at + 2]! };
    },
  };
}

/** The contents of a set, read from its rows files. Throws STORE_CORRUPT. */
export async function readKnownRows(store: string, set: FeatureSet): Promise<KnownRows> {
  const known = knownRows();
  for await (const row of setRows(store, set)) known.add(row);
  return known;
}
