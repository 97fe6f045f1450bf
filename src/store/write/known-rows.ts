import type { ImageFacts } from '../../core/sample.ts';
import { contentIndex } from '../format/content-index.ts';

/** Contents, numbered as they were added, with the facts of each image's header. About 55 bytes a content. */
export interface KnownRows {
  readonly size: number;
  /** The number of a content, -1 where it was not added. */
  find(sha256: string): number;
  /** The number of a content, which is added where it is new. */
  add(facts: ImageFacts): number;
  digestOf(number: number): string;
  /** Zeros for a content that was not added: its header was not read. */
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
    find: (sha256) => index.find(sha256),
    digestOf: (number) => index.digestOf(number),
    add({ sha256, width, height, orientation }) {
      const number = index.add(sha256);
      const at = 3 * number;
      if (at === facts.length) {
        const more = new Uint32Array(2 * facts.length);
        more.set(facts);
        facts = more;
      }
      facts.set([width, height, orientation], at);
      return number;
    },
    factsOf(sha256) {
      const number = index.find(sha256);
      if (number < 0) return { sha256, width: 0, height: 0, orientation: 0 };
      const at = 3 * number;
      return { sha256, width: facts[at]!, height: facts[at + 1]!, orientation: facts[at + 2]! };
    },
  };
}
