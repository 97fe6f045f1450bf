import { PermafrostError } from '../../core/errors.ts';
import type { HeadResult, RunResult } from '../../results/head-result.ts';
import { present, type OrReason } from '../../results/report-data.ts';
import type { Split } from '../../core/sample.ts';
import { tally, type Tally } from '../../classify/evaluate/tally.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import type { Store } from '../../store/open.ts';
import { openAnswers } from '../train/answers/open-answers.ts';
import { openHead } from '../train/files/head-files.ts';
import { storedPartsOfHead } from '../train/head-parts.ts';
import { storeOfSettings } from '../train/labelled-store.ts';
import { savedHead } from '../run/past-run.ts';
import { unseenImages } from '../train/trained-on.ts';
import type { Work } from '../work.ts';
import { answersOfHead, answersOfTable } from './judged-rows.ts';

/** Surest mistakes that are shown. */
const MISTAKES = 24;

/**
 * What the best head of a run says of all validated images that the store holds now and that it was not trained on, in
 * the order of their paths.
 */
export interface Answers {
  readonly best: HeadResult;
  readonly file: string;
  readonly split: Split;
  readonly tallied: Tally;
  /** Probability of each image's predicted class, shape (images). */
  readonly probability: Float32Array;
  /** Novelty score of each, and whether it is unknown, shape (images); null for a head without that rule. */
  readonly novelty: { readonly value: Float32Array; readonly isUnknown: Uint8Array } | null;
  /** Paths of the surest mistakes of all, the surest first. */
  readonly mistaken: readonly string[];
  /** Images of the split that the head was trained on, which are left out; undefined where its file does not tell. */
  readonly leftOut: number | undefined;
  /** Whether an image is one of those that are judged. */
  isJudged(sample: StoredSample): boolean;
}

/** A report may be written where the head's optional package is not installed: the rest of it can be. */
function missingPackage(error: unknown): { missing: string } {
  if (error instanceof PermafrostError && error.code === 'PACKAGE_MISSING')
    return { missing: `The best head cannot be asked here: ${error.message}` };
  throw error;
}

/**
 * What the best head of a past run says of the validated images that it was not trained on: as the table beside it has
 * it, where that fits, else it is asked, in a stream. Gives a
 * reason where the head is gone, its features are of other settings, or nothing is validated. Throws HEAD_CORRUPT,
 * STORE_CORRUPT, INTERRUPTED.
 */
export async function askBest(store: Store, run: OrReason<RunResult>, work: Work): Promise<OrReason<Answers>> {
  if (!present(run)) return run;
  const best = run.heads[0];
  const saved = savedHead(store.path, best);
  if (best === undefined || !present(saved)) return saved as { missing: string };
  const opened = await openHead(saved.path).catch(missingPackage);
  if ('missing' in opened) return opened;
  const { head, document } = opened;
  const own = storeOfSettings(store, document.settings);
  const stored = storedPartsOfHead(own, document);
  if (!present(stored))
    return {
      missing: `The best head was trained on features of other settings than the store's current ones (${stored.missing}).`,
    };
  const counts = await store.counts();
  const split = counts.val > 0 ? 'val' : 'test';
  if (counts[split] === 0) return { missing: 'The store holds no validated images.' };
  const { trainedOn } = opened;
  const { store: asked, seen } =
    trainedOn === undefined ? { store: own, seen: undefined } : await unseenImages(own, split, trainedOn);
  if (seen === counts[split])
    return {
      missing: `The best head was trained on ${seen === 1 ? 'the one image' : `all ${seen} images`} that the store now holds out, so nothing tells how well it does. Run "permafrost run" on the data set again.`,
    };
  // Classes that lost their training images before the run are counted as wrong, as it counted them.
  const expected = new Set([...head.classes, ...(best.unlearned ?? [])]);
  let validated = 0;
  for (const { path, label, split: own } of await asked.samples()) {
    if (own !== split) continue;
    validated++;
    if (!expected.has(label))
      return {
        missing: `The best head does not know the class ${JSON.stringify(label)} of ${JSON.stringify(path)}: the data set has changed since the run.`,
      };
  }
  const tallied = tally(head.classes, validated, MISTAKES, best.unlearned);
  const probability = new Float32Array(validated);
  const novelty = opened.reject && { value: new Float32Array(validated), isUnknown: new Uint8Array(validated) };
  const isJudged = (sample: StoredSample): boolean => sample.split === split && trainedOn?.has(sample.sha256) !== true;
  const table = await openAnswers(saved.path, document, store);
  const answers = present(table)
    ? answersOfTable(table, await store.samples(), isJudged)
    : answersOfHead(opened, asked, { parts: stored.parts, split }, work);
  for await (const { P, labels, places, scores, unknown } of answers) {
    tallied.add(P, labels, places);
    places.forEach((place, i) => {
      probability[place] = P.data[i * P.cols + tallied.guess[place]!]!;
      if (novelty === undefined || scores === undefined) return;
      novelty.value[place] = scores[i]!;
      novelty.isUnknown[place] = Number(unknown![i]);
    });
  }
  const wrong = tallied.mistakes().map(({ row }) => row);
  const pathOf = new Map<number, string>();
  const isWrong = new Set(wrong);
  let place = 0;
  for (const sample of await asked.samples()) {
    if (sample.split !== split) continue;
    if (isWrong.has(place)) pathOf.set(place, sample.path);
    place++;
  }
  const mistaken = wrong.map((row) => pathOf.get(row)!);
  return {
    best,
    file: saved.path,
    split,
    tallied,
    probability,
    novelty: novelty ?? null,
    mistaken,
    leftOut: seen,
    isJudged,
  };
}
