import { selectRows, type Matrix } from '../../core/matrix.ts';
import { matrixRows } from '../../core/rows.ts';
import { resolveOptions } from '../../core/options.ts';
import type { CheckResult } from '../../results/check-result.ts';
import { SPLITS, type Split } from '../../core/sample.ts';
import { createHead } from '../../classify/heads/index.ts';
import { judgeLabels } from '../../classify/evaluate/label-suspects.ts';
import { wilsonInterval } from '../../classify/evaluate/metrics.ts';
import { applyNormalizer, fitNormalizer } from '../../classify/normalize.ts';
import type { StoredSample } from '../../store/format/shard.ts';
import { openStore, type Store } from '../../store/open.ts';
import { openRows } from '../../store/read/access.ts';
import { currentSets, smallPooling } from '../../store/read/stored-parts.ts';
import { summarizeDataset } from './dataset-summary.ts';
import { CHECK_OPTIONS, type CheckOptions } from './options.ts';
import { labelledStore } from '../train/labelled-store.ts';
import { leaksOf } from './leaks.ts';
import { nearCopies, type NearCopies } from './near-copies.ts';
import { imageSketches } from './sketches.ts';
import type { Work } from '../work.ts';

export type { CheckOptions } from './options.ts';

/** The head that answers: among the best of `run` on pooled features, and fitted in milliseconds. */
const HEAD = { name: 'logistic', options: { C: 10 }, normalize: 'l2' } as const;

/** Suspects that are told where their number is not given. */
const MOST_ESTIMATED = 100;

interface Stored {
  /** l2-normalised pooled features of every image, row i for samples[i]. */
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
}

async function readStored(store: Store, compared: readonly StoredSample[]): Promise<Stored> {
  const parts = smallPooling(currentSets(store)[0]);
  const samples = SPLITS.flatMap((split) => compared.filter((sample) => sample.split === split));
  const rows = await store.withSamples(samples).rows({ parts, memory: 'matrix' });
  return { X: applyNormalizer(await fitNormalizer('l2', rows), rows.matrix), samples };
}

/** For each row a name that it shares with all its copies, whether exact or near, and theirs. */
function copyGroups({ pairs, standFor }: Pick<NearCopies, 'pairs' | 'standFor'>): string[] {
  const parent = Int32Array.from(standFor);
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (const { a, b } of pairs) parent[find(a)] = find(b);
  return Array.from(parent, (_, i) => String(find(i)));
}

/** Accuracy on the validation images, with all of them and without those that are in train too. */
async function accuracyWithout(
  { X, samples }: Stored,
  leaked: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<CheckResult['accuracy']> {
  const rowsOf = (split: Split): number[] => samples.flatMap((sample, i) => (sample.split === split ? [i] : []));
  const validatedOn = samples.some(({ split }) => split === 'val') ? 'val' : 'test';
  const [train, val] = [rowsOf('train'), rowsOf(validatedOn)];
  if (train.length === 0 || val.length === 0 || new Set(train.map((i) => samples[i]!.label)).size < 2) return null;
  const head = await createHead(HEAD.name, HEAD.options).fit(
    matrixRows(selectRows(X, train)),
    train.map((i) => samples[i]!.label),
    signal && { signal },
  );
  const P = await head.predictProba(selectRows(X, val));
  const right = val.map((i, at) => {
    const p = P.data.subarray(at * P.cols, (at + 1) * P.cols);
    return head.classes[p.indexOf(Math.max(...p))] === samples[i]!.label;
  });
  const share = (rows: readonly boolean[]) => {
    const hits = rows.filter(Boolean).length;
    return { images: rows.length, accuracy: hits / rows.length, interval: wilsonInterval(hits, rows.length) };
  };
  return {
    head: HEAD.name,
    all: share(right),
    clean: share(right.filter((_, at) => !leaked.has(samples[val[at]!]!.path))),
  };
}

/**
 * Asks a store what could be wrong with its data set: copies (equal files, or others of one picture), copies across
 * train and val or test and their effect on the accuracy, labels that other images contradict, small classes. `images`
 * at most are compared; of each its file is read once, for a sketch that stays in the store. With a list of labels
 * these count.
 */
export async function check(
  storePath: string,
  given: Partial<CheckOptions> = {},
  work: Work = {},
): Promise<CheckResult> {
  const options = resolveOptions('check', CHECK_OPTIONS, given);
  const { store } = await labelledStore(await openStore(storePath), options.labels, work);
  return checkStore(store, options, work);
}

/** As `check`, of a store under the labels that count; `labels` is not read. */
export async function checkStore(store: Store, options: CheckOptions, work: Work): Promise<CheckResult> {
  const { signal, listener } = work;
  const { images: mostCompared, threshold, suspects: most, folds, smallClass, seed } = options;
  const summary = summarizeDataset(await store.samples(), mostCompared);
  const stored = await readStored(store, summary.compared);
  const { X, samples } = stored;
  if (samples.length < summary.images)
    listener?.note?.(
      `Features are compared of ${samples.length} of ${summary.images} images, those whose SHA-256 is lowest (--images): copies that are not equal files, label errors and accuracy are about these alone. Files of equal bytes were looked for among all.`,
    );
  const { sketches, missing: unread } = await imageSketches(store, samples, work);
  listener?.progress?.({ stage: 'comparing', done: 0, total: 1, perSecond: 0 });
  const [{ set, poolings }] = currentSets(store);
  const maps = poolings.includes('flatten') ? openRows(store) : undefined;
  const near = await nearCopies({ X, samples, sketches, maps, threshold }, work);
  if (near.leftOut > 0)
    listener?.note?.(
      `${near.leftOut} pairs of images that may be copies were not compared: there are more than can be. The most alike ones were.`,
    );
  const leaks = leaksOf(summary.copies, samples, near);
  const leaked = new Set(leaks.map(({ held }) => held));

  const labels = samples.map(({ label }) => label);
  const judgedLabels =
    new Set(labels).size < 2 || samples.length < folds
      ? { ranked: [], estimated: 0 }
      : await judgeLabels(createHead(HEAD.name, HEAD.options), X, labels, {
          normalize: 'none', // normalised already
          nSplits: folds,
          seed,
          keys: samples.map(({ path }) => path),
          groups: copyGroups(near),
          ...(signal && { signal }),
        });
  return {
    store: store.path,
    images: summary.images,
    compared: samples.length,
    exact: summary.copies.map((group) => group.map(({ path }) => path)),
    near: near.pairs.map((pair) => ({ ...pair, a: samples[pair.a]!.path, b: samples[pair.b]!.path })),
    nearLeftOut: near.leftOut,
    nearMissing:
      unread === 0 || maps !== undefined
        ? null
        : `Copies of ${unread} images that are not equal files were not looked for: these images cannot be read any more, and ${set.settings.cut} was extracted without flatten.`,
    unread,
    alike: near.alike.map(({ a, b, cosine }) => ({ a: samples[a]!.path, b: samples[b]!.path, cosine })),
    alikeMissing:
      maps !== undefined
        ? null
        : `Images that are alike and no copies were not looked for: they are told by whole maps, and ${set.settings.cut} was extracted without flatten.`,
    threshold,
    leaks,
    leakedImages: leaked.size,
    accuracy: await accuracyWithout(stored, leaked, signal),
    labelErrors: judgedLabels.estimated,
    suspects: judgedLabels.ranked
      .filter(({ margin }) => margin < 0)
      .slice(0, most === 0 ? Math.min(judgedLabels.estimated, MOST_ESTIMATED) : most)
      .map(({ row, label, suggested, probability, margin }) => ({
        path: samples[row]!.path,
        label,
        suggested,
        probability,
        margin,
      })),
    smallClasses: [...summary.classes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, { train, val, test }]) => ({ label, train, held: val + test }))
      .filter(({ held }) => held < smallClass),
    smallClass,
  };
}
