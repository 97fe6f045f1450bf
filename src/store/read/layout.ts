import { createHash } from 'node:crypto';
import type { Split } from '../../core/sample.ts';
import type { StoredSample } from '../format/shard.ts';
import { digestTable } from './digests/digest-table.ts';
import type { StoreFiles } from './file.ts';
import { foundRows, layOutAs, layOutFirst, type FoundPart, type PartLayout } from './find-rows.ts';
import type { SplitCounts } from './samples.ts';
import type { StoredPart } from './stored-parts.ts';

/** Which rows some samples are, in the order in which their first part is stored. */
export interface RowLayout {
  /** Row i is of the sample of number places[i]. */
  readonly places: Int32Array;
  /** By the numbers of the samples. */
  readonly labels: readonly string[];
  /** SHA-256 of the JSON of pairs of an image's SHA-256 and its label, in the order of the rows, lower-case hex. */
  readonly digest: string;
  /** The first row of each file of the first part, ascending, and the number of rows at the end. */
  readonly starts: readonly number[];
  /** The parts of the images themselves, and then of each view. */
  readonly views: readonly (readonly PartLayout[])[];
}

/** What finding the rows takes of each, in bytes, until they are found. */
export const LAYOUT_ROW_BYTES = 250;

/** Samples with their numbers, which count split by split; without `splits` all, in their order. */
export function* numbered(
  samples: Iterable<StoredSample>,
  splits: readonly Split[] | undefined,
  counts: SplitCounts,
): Generator<{ readonly sample: StoredSample; readonly place: number }> {
  const next = new Map<Split, number>();
  let place = 0;
  for (const split of splits ?? []) {
    next.set(split, place);
    place += counts[split];
  }
  place = 0;
  for (const sample of samples) {
    const at = splits === undefined ? place++ : next.get(sample.split);
    if (at === undefined) continue;
    next.set(sample.split, at + 1);
    yield { sample, place: at };
  }
}

/** The samples that rows are wanted of, numbered; walked through anew where rows have to be found again. */
export type NumberedSamples = () => Promise<ReturnType<typeof numbered>>;

/**
 * Finds `rows` numbered samples in the parts of the images and of each view. Throws STORE_CORRUPT where one is missing,
 * and STORE_CHANGED where a writer has removed some.
 */
export async function layOut(
  files: StoreFiles,
  views: readonly (readonly StoredPart[])[],
  rows: number,
  samples: NumberedSamples,
): Promise<RowLayout> {
  const digests = digestTable(rows);
  const labels = new Array<string>(rows);
  for (const { sample, place } of await samples()) {
    digests.set(place, sample.sha256);
    labels[place] = sample.label;
  }
  const [first, ...others] = views.flat();
  const { places, starts, ...primary } = await foundRows(files, first!, 'at first', (part) =>
    layOutFirst(files, part, digests),
  );
  const rowAt = new Int32Array(rows);
  places.forEach((place, row) => (rowAt[place] = row));
  const origin = { files, rows, samples, rowAt };
  const parts = [withAgain(origin, first!, primary)];
  for (const other of others) {
    const found = await foundRows(files, other, 'at first', (at) => layOutAs(files, at, digests, rowAt));
    parts.push(withAgain(origin, other, found));
  }
  const width = views[0]!.length;
  const hash = createHash('sha256').update('[');
  places.forEach((place, row) =>
    hash.update(`${row === 0 ? '' : ','}${JSON.stringify([digests.at(place), labels[place]])}`),
  );
  return {
    places,
    labels,
    digest: hash.update(']').digest('hex'),
    starts,
    views: views.map((_, view) => parts.slice(view * width, (view + 1) * width)),
  };
}

/** By what rows are found again. A function of its own: it holds no digest of a row while rows are open. */
function withAgain(
  origin: {
    readonly files: StoreFiles;
    readonly rows: number;
    readonly samples: NumberedSamples;
    readonly rowAt: Int32Array;
  },
  part: StoredPart,
  layout: FoundPart,
): PartLayout {
  return {
    ...layout,
    async again() {
      const { files, rows, samples, rowAt } = origin;
      const digests = digestTable(rows);
      for (const { sample, place } of await samples()) digests.set(place, sample.sha256);
      const now = await foundRows(files, part, 'now', (at) => layOutAs(files, at, digests, rowAt, layout));
      return withAgain(origin, part, now);
    },
  };
}
