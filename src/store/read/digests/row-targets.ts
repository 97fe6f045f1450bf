import { contentIndex } from '../../format/content-index.ts';

/** Where rows of features go: each content to one place or several (the same picture in two classes or splits). */
export interface RowTargets {
  /** Contents that have not been met yet. */
  readonly missing: number;
  /** Calls `put` with each place of a content, in order, the first time that it is met; else does nothing. */
  meet(sha256: string, put: (place: number) => void): void;
}

/** SHA-256 in lower-case hex, by their numbers: an array, or made as they are asked for. */
export interface Digests {
  readonly length: number;
  at(i: number): string | undefined;
}

/** Targets for `digests`: the place of each is its number in that list. About 55 bytes a place. */
export function rowTargets(digests: Digests): RowTargets {
  const index = contentIndex();
  // The places of content n are a chain: first[n], next[first[n]], ...; -1 ends it.
  const first = new Int32Array(digests.length).fill(-1);
  const next = new Int32Array(digests.length);
  // From the last on, so that a chain runs from the first place to the last.
  for (let place = digests.length - 1; place >= 0; place--) {
    const content = index.add(digests.at(place)!);
    next[place] = first[content]!;
    first[content] = place;
  }
  let missing = index.size;
  return {
    get missing() {
      return missing;
    },
    meet(sha256, put) {
      const content = index.find(sha256);
      if (content < 0 || first[content]! < 0) return;
      for (let at = first[content]!; at >= 0; at = next[at]!) put(at);
      first[content] = -1;
      missing--;
    },
  };
}
