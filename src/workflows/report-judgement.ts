import { PermafrostError } from '../core/errors.ts';
import { selectRows } from '../core/matrix.ts';
import type { Judgement, OrReason, ReportClass } from '../core/report-data.ts';
import { present } from '../core/report-data.ts';
import type { RunResult } from '../core/head-result.ts';
import * as metrics from '../classify/metrics.ts';
import { exactIndex } from '../classify/neighbors/exact.ts';
import { tally } from '../classify/tally.ts';
import type { Manifest } from '../store/manifest.ts';
import { loadFeatures, type LoadedFeatures } from '../store/reader.ts';
import { probabilities } from './evaluate.ts';
import { openHead } from './head-files.ts';
import { storedPartsOfHead } from './head-parts.ts';
import { savedHead } from './past-run.ts';
import { judgeRaw } from './predict.ts';

/** Nearest training images that are shown beside a validated one. */
const NEIGHBORS = 3;
/** Surest mistakes that are shown. */
const MISTAKES = 24;

export interface JudgedStore {
  readonly store: string;
  readonly manifest: Manifest;
  /** Pooled features of every image, row i for samples[i]. */
  readonly all: LoadedFeatures;
}

/** A head whose optional package is not installed here (a report may be written elsewhere than the run) cannot be asked; the rest can. */
function missingPackage(error: unknown): { missing: string } {
  if (error instanceof PermafrostError && error.code === 'PACKAGE_MISSING')
    return { missing: `The best head cannot be asked here: ${error.message}` };
  throw error;
}

/**
 * What the best head of a past run says of the validated images that the store holds now; a reason where the head is gone, or was trained on
 * features of other settings, or nothing is validated. Throws HEAD_CORRUPT.
 */
export async function judge(
  { store, manifest, all }: JudgedStore,
  run: OrReason<RunResult>,
): Promise<OrReason<Judgement>> {
  if (!present(run)) return run;
  const best = run.heads[0];
  const saved = savedHead(store, best);
  if (best === undefined || !present(saved)) return saved as { missing: string };
  const opened = await openHead(saved.path).catch(missingPackage);
  if ('missing' in opened) return opened;
  const { head, document } = opened;
  const stored = storedPartsOfHead(store, manifest, document);
  if (!present(stored))
    return {
      missing: `The best head was trained on features of other settings than the store's current ones (${stored.missing}).`,
    };

  const split = all.samples.some((sample) => sample.split === 'val') ? 'val' : 'test';
  const rowsOf = (wanted: string): number[] =>
    all.samples.flatMap((sample, i) => (sample.split === wanted ? [i] : []));
  const [held, trained] = [rowsOf(split), rowsOf('train')];
  if (held.length === 0) return { missing: 'The store holds no validated images.' };
  const loaded = await loadFeatures(store, manifest, stored.parts, [split]);
  const { X, samples } = loaded.get(split)!;
  const strange = samples.find(({ label }) => !head.classes.includes(label));
  if (strange !== undefined)
    return {
      missing: `The best head does not know the class ${JSON.stringify(strange.label)} of ${JSON.stringify(strange.path)}: the data set has changed since the run.`,
    };

  const P = await probabilities(opened, X);
  const strangeness = await judgeRaw(opened, X);
  const told = tally(head.classes, samples.length, MISTAKES);
  told.add(
    P,
    samples.map(({ label }) => label),
    [...samples.keys()],
  );
  const { truth, guess } = told;
  const k = head.classes.length;
  const counts = metrics.confusionMatrix(truth, guess, k);
  const hits = metrics.hits(truth, guess);
  const near =
    trained.length === 0
      ? { k: 0, indices: new Int32Array(0), distances: new Float32Array(0) }
      : await exactIndex(selectRows(all.X, trained), 'cosine').search(selectRows(all.X, held), NEIGHBORS);
  const changed =
    hits !== Math.round(best.accuracy * best.validated) || best.validated !== samples.length
      ? `The run's table tells of ${best.validated} validated images and an accuracy of ${best.accuracy.toFixed(4)}; the store now holds ${samples.length}, on which the saved head reaches ${(hits / samples.length).toFixed(4)}. What follows is about those.`
      : null;
  return {
    head: { name: head.name, pooling: best.pooling, normalize: best.normalize, params: head.params },
    file: saved.path,
    split,
    accuracy: hits / samples.length,
    interval: metrics.wilsonInterval(hits, samples.length),
    classes: metrics
      .classScores(counts, k)
      .map((scores, c): ReportClass => ({ label: head.classes[c]!, ...scores })),
    confusion: head.classes.map((_, c) => [...counts.subarray(c * k, (c + 1) * k)]),
    calibration: told.calibration(),
    // loadFeatures gives the samples of a split in the order of all samples, so row i is held[i].
    judged: samples.map((_, i) => ({
      image: held[i]!,
      predicted: head.classes[guess[i]!]!,
      probability: P.data[i * k + guess[i]!]!,
      neighbors: Array.from({ length: near.k }, (_unused, j) => ({
        image: trained[near.indices[i * near.k + j]!]!,
        distance: near.distances[i * near.k + j]!,
      })),
    })),
    mistakes: told.mistakes().map(({ row }) => row),
    unknown:
      strangeness &&
      [...samples.keys()]
        .filter((i) => strangeness.unknown[i])
        .sort((a, b) => strangeness.strangeness[b]! - strangeness.strangeness[a]! || a - b),
    caution: changed,
  };
}
