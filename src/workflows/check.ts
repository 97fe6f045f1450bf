import { resolve } from 'node:path';
import { cosine, selectRows, type Matrix } from '../core/matrix.ts';
import { resolveOptions } from '../core/options.ts';
import type { CheckResult, LeakResult } from '../core/check-result.ts';
import { SPLITS, type Split } from '../core/sample.ts';
import { createHead } from '../classify/heads/index.ts';
import { rankSuspects } from '../classify/label-suspects.ts';
import { wilsonInterval } from '../classify/metrics.ts';
import { applyNormalizer, fitNormalizer } from '../classify/normalize.ts';
import { similarPairs, type SimilarPair } from '../classify/similar-pairs.ts';
import { readManifest, type Manifest } from '../store/manifest.ts';
import { currentSets, smallPooling } from '../store/parts.ts';
import { eachSample, loadRows } from '../store/reader.ts';
import { openRows } from '../store/row-access.ts';
import type { StoredSample } from '../store/shard.ts';
import { takeCensus } from './census.ts';
import { CHECK_OPTIONS, type CheckOptions } from './check-options.ts';
import { labelledSamples } from './labelled-samples.ts';
import type { Work } from './work.ts';

/** The head that answers the questions: what `run` finds among the best on pooled features, and a fit takes milliseconds. */
const HEAD = { name: 'logistic', options: { C: 10 }, normalize: 'l2' } as const;

interface Stored {
  /** l2-normalised pooled features of every image, row i for samples[i]. */
  readonly X: Matrix;
  readonly samples: readonly StoredSample[];
}

async function readStored(
  store: string,
  manifest: Manifest,
  compared: readonly StoredSample[],
): Promise<Stored> {
  const pooling = smallPooling(currentSets(store, manifest)[0]);
  const bySplit = SPLITS.flatMap((split) => compared.filter((sample) => sample.split === split));
  const { X, samples } = await loadRows(store, manifest, pooling, bySplit);
  return { X: applyNormalizer(fitNormalizer('l2', X), X), samples };
}

/**
 * Cosine of pooled features from which the whole maps of two images are compared. Measured on hymenoptera with 20 images re-encoded (half
 * to full size, JPEG quality 25 to 85): pooled 0.943 at least, 0.954 at most between different images; whole maps 0.858 at least, 0.581 at
 * most between different images. The maps tell them apart, pooled features only say where to look.
 */
const CANDIDATE_COSINE = 0.85;

/** Pairs of different files whose whole maps are at least `threshold` alike, the most similar first. */
async function nearDuplicates(
  store: string,
  manifest: Manifest,
  { X, samples }: Stored,
  threshold: number,
): Promise<SimilarPair[]> {
  const candidates = (await similarPairs(X, CANDIDATE_COSINE)).filter(
    ({ a, b }) => samples[a]!.sha256 !== samples[b]!.sha256,
  );
  const wanted = new Set(candidates.flatMap(({ a, b }) => [samples[a]!.id, samples[b]!.id]));
  const maps = await openRows(store, manifest).rowsById([...wanted], 'flatten');
  return candidates
    .map(({ a, b }) => ({
      a,
      b,
      cosine: cosine(maps.get(samples[a]!.id)!, maps.get(samples[b]!.id)!),
    }))
    .filter(({ cosine }) => cosine >= threshold)
    .sort((p, q) => q.cosine - p.cosine || p.a - q.a || p.b - q.b);
}

/** For each row a name that it shares with all its copies, whether exact or near, and theirs. */
function copyGroups(rows: number, pairs: readonly (readonly [number, number])[]): string[] {
  const parent = Array.from({ length: rows }, (_, i) => i);
  const find = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (const [a, b] of pairs) parent[find(a)] = find(b);
  return parent.map((_, i) => String(find(i)));
}

/** Accuracy on the validation images, with all of them and without those that are in train too. */
async function accuracyWithout(
  { X, samples }: Stored,
  leaked: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<CheckResult['accuracy']> {
  const rowsOf = (split: Split): number[] =>
    samples.flatMap((sample, i) => (sample.split === split ? [i] : []));
  const validatedOn = samples.some(({ split }) => split === 'val') ? 'val' : 'test';
  const [train, val] = [rowsOf('train'), rowsOf(validatedOn)];
  if (train.length === 0 || val.length === 0 || new Set(train.map((i) => samples[i]!.label)).size < 2)
    return null;
  const head = await createHead(HEAD.name, HEAD.options).fit(
    selectRows(X, train),
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
 * Asks a store what could be wrong with the data set: copies of one image (equal bytes, or nearly equal features), copies that lie in
 * train and in val or test and what they do to the accuracy, labels that the other images contradict, classes too small to judge. Equal
 * bytes and sizes of classes are of all images; features are compared of `images` at most, and what rests on them is about these alone. With
 * a list of labels these are asked about, and the store is not changed.
 */
export async function check(
  storePath: string,
  given: Partial<CheckOptions> = {},
  { signal, listener }: Work = {},
): Promise<CheckResult> {
  const {
    labels: list,
    images: mostCompared,
    threshold,
    suspects: most,
    folds,
    smallClass,
    seed,
  } = resolveOptions('check', CHECK_OPTIONS, given);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const counted = list === '' ? undefined : await labelledSamples(store, manifest, list, { listener });
  const census = await takeCensus(() => counted?.samples ?? eachSample(store, manifest), mostCompared);
  const stored = await readStored(store, manifest, census.compared);
  const { X, samples } = stored;
  if (samples.length < census.images)
    listener?.note?.(
      `Features are compared of ${samples.length} of ${census.images} images, those whose SHA-256 is lowest (--images): near duplicates, label errors and accuracy are about these alone. Files of equal bytes were looked for among all.`,
    );
  listener?.progress?.({ stage: 'comparing', done: 0, total: 1, perSecond: 0 });
  const [{ set, poolings }] = currentSets(store, manifest);
  const hasMaps = poolings.includes('flatten');
  const near = hasMaps ? await nearDuplicates(store, manifest, stored, threshold) : [];

  const rowOf = new Map(samples.map(({ path }, i) => [path, i]));
  const exactPairs = census.copies.flatMap((group) =>
    group.flatMap((a, i) => group.slice(i + 1).map((b) => ({ a, b, cosine: 1, kind: 'exact' as const }))),
  );
  const nearPairs = near.map(({ a, b, cosine }) => ({
    a: samples[a]!,
    b: samples[b]!,
    cosine,
    kind: 'near' as const,
  }));
  const pairs = [...exactPairs, ...nearPairs];
  const leaks: LeakResult[] = [];
  const leaked = new Set<string>();
  for (const { a, b, cosine, kind } of pairs) {
    const [t, h] = a.split === 'train' ? [a, b] : [b, a];
    if (t.split !== 'train' || h.split === 'train') continue;
    leaked.add(h.path);
    leaks.push({ train: t.path, held: h.path, split: h.split, kind, cosine, sameLabel: t.label === h.label });
  }
  const comparedPairs = pairs.flatMap(({ a, b }) => {
    const [i, j] = [rowOf.get(a.path), rowOf.get(b.path)];
    return i === undefined || j === undefined ? [] : [[i, j] as const];
  });

  const labels = samples.map(({ label }) => label);
  const ranked =
    new Set(labels).size < 2 || samples.length < folds
      ? []
      : await rankSuspects(createHead(HEAD.name, HEAD.options), X, labels, {
          normalize: 'none', // normalised already
          nSplits: folds,
          seed,
          keys: samples.map(({ path }) => path),
          groups: copyGroups(samples.length, comparedPairs),
          ...(signal && { signal }),
        });
  return {
    store,
    images: census.images,
    compared: samples.length,
    exact: census.copies.map((group) => group.map(({ path }) => path)),
    near: near.map(({ a, b, cosine }) => ({ a: samples[a]!.path, b: samples[b]!.path, cosine })),
    nearMissing: hasMaps
      ? null
      : `Near duplicates were not looked for: they are told by whole maps, and ${set.settings.cut} was extracted without flatten.`,
    threshold,
    leaks,
    leakedImages: leaked.size,
    accuracy: await accuracyWithout(stored, leaked, signal),
    suspects: ranked
      .filter(({ margin }) => margin < 0)
      .slice(0, most)
      .map(({ row, label, suggested, probability, margin }) => ({
        path: samples[row]!.path,
        label,
        suggested,
        probability,
        margin,
      })),
    smallClasses: [...census.classes]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([label, { train, val, test }]) => ({ label, train, held: val + test }))
      .filter(({ held }) => held < smallClass),
    smallClass,
  };
}
