import { selectRows, type Matrix } from '../../core/matrix.ts';
import { blocksOf, joinedBlocks } from '../../core/rows.ts';
import type { FeaturePart, Split } from '../../core/sample.ts';
import type { SampleRows, StoredSample } from '../../store/format/shard.ts';
import type { Store } from '../../store/open.ts';
import { requireSamePath, storedAnswers, type OpenedAnswers } from '../train/answers/open-answers.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { noveltyOf, probabilities } from '../train/trained-head.ts';
import { watched } from '../train/watched-rows.ts';
import type { Work } from '../work.ts';

/** What a head says of some judged images. */
export interface JudgedRows {
  /** Probability of each class, shape (rows, classes). */
  readonly P: Matrix;
  readonly labels: readonly string[];
  /** The number of each among the judged images, in the order of the list. */
  readonly places: Int32Array;
  /** Of a head with a rule for "unknown": novelty scores, and whether each is unknown. */
  readonly scores?: ArrayLike<number>;
  readonly unknown?: ArrayLike<number | boolean>;
}

/** What a table of answers says of the images that are judged. Throws STORE_CORRUPT where it is of other images. */
export async function* answersOfTable(
  table: OpenedAnswers,
  samples: SampleRows,
  isJudged: (sample: StoredSample) => boolean,
): AsyncGenerator<JudgedRows> {
  const list = samples[Symbol.iterator]();
  let next = 0;
  for await (const { paths, P, novelty, unknown } of storedAnswers(table)) {
    const rows: number[] = [];
    const labels: string[] = [];
    for (const [i, path] of paths.entries()) {
      const { value: sample } = list.next() as { value: StoredSample | undefined };
      requireSamePath(table.parquet, path, sample?.path ?? '');
      if (!isJudged(sample!)) continue;
      rows.push(i);
      labels.push(sample!.label);
    }
    const places = Int32Array.from(rows, (_, i) => next + i);
    next += rows.length;
    yield {
      P: selectRows(P, rows),
      labels,
      places,
      scores: rows.map((i) => novelty[i]!),
      unknown: rows.map((i) => unknown[i] === 1),
    };
  }
}

/** What a head says of the images of a split, read in a stream. Throws STORE_CORRUPT, INTERRUPTED. */
export async function* answersOfHead(
  opened: OpenedHead,
  store: Store,
  { parts, split }: { readonly parts: readonly FeaturePart[]; readonly split: Split },
  work: Work,
): AsyncGenerator<JudgedRows> {
  const stream = await store.rows({ parts, splits: [split], memory: 'blocks' });
  const [rows] = watched([stream], () => 'judging', work);
  for await (const { start, X } of blocksOf(joinedBlocks(rows!))) {
    const judged = await noveltyOf(opened, X);
    yield {
      P: await probabilities(opened, X),
      labels: stream.labels.slice(start, start + X.rows),
      places: stream.places.subarray(start, start + X.rows),
      ...(judged && { scores: judged.scores, unknown: judged.unknown }),
    };
  }
}
