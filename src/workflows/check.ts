import { resolve } from 'node:path';
import { cosine, matrix, selectRows, type Matrix } from '../core/matrix.ts';
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
import { loadFeatures } from '../store/reader.ts';
import { openRows } from '../store/row-access.ts';
import type { StoredSample } from '../store/shard.ts';
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

async function readStored(store: string, manifest: Manifest, all: readonly StoredSample[]): Promise<Stored> {
  const pooling = smallPooling(currentSets(store, manifest)[0]);
  const loaded = await loadFeatures(store, manifest, pooling, SPLITS, { samples: all });
  const parts = [...loaded.values()].filter(({ samples }) => samples.length > 0);
  const samples = parts.flatMap((part) => part.samples);
  const raw = matrix(samples.length, parts[0]?.X.cols ?? 0);
  let at = 0;
  for (const { X } of parts) {
    raw.data.set(X.data, at);
    at += X.data.length;
  }
  return { X: applyNormalizer(fitNormalizer('l2', raw), raw), samples };
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

/** Files of equal bytes, in groups of two and more. */
function exactGroups(samples: readonly StoredSample[]): number[][] {
  const byContent = new Map<string, number[]>();
  samples.forEach(({ sha256 }, i) => byContent.set(sha256, [...(byContent.get(sha256) ?? []), i]));
  return [...byContent.values()].filter((rows) => rows.length > 1);
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
  leaked: ReadonlySet<number>,
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
  return { head: HEAD.name, all: share(right), clean: share(right.filter((_, at) => !leaked.has(val[at]!))) };
}

/**
 * Asks a store what could be wrong with the data set: copies of one image (equal bytes, or nearly equal features), copies that lie in
 * train and in val or test and what they do to the accuracy, labels that the other images contradict, classes too small to judge. With a
 * list of labels these are asked about, and the store is not changed.
 */
export async function check(
  storePath: string,
  given: Partial<CheckOptions> = {},
  { signal, listener }: Work = {},
): Promise<CheckResult> {
  const {
    labels: list,
    threshold,
    suspects: most,
    folds,
    smallClass,
    seed,
  } = resolveOptions('check', CHECK_OPTIONS, given);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const counted = await labelledSamples(store, manifest, list, { listener });
  const stored = await readStored(store, manifest, counted.samples);
  const { X, samples } = stored;
  listener?.progress?.({ stage: 'comparing', done: 0, total: 1, perSecond: 0 });
  const exact = exactGroups(samples);
  const [{ set, poolings }] = currentSets(store, manifest);
  const hasMaps = poolings.includes('flatten');
  const near = hasMaps ? await nearDuplicates(store, manifest, stored, threshold) : [];

  const exactPairs = exact.flatMap((rows) =>
    rows.flatMap((a, i) => rows.slice(i + 1).map((b) => ({ a, b, cosine: 1, kind: 'exact' as const }))),
  );
  const pairs = [...exactPairs, ...near.map((pair) => ({ ...pair, kind: 'near' as const }))];
  const leaks: LeakResult[] = [];
  const leaked = new Set<number>();
  for (const { a, b, cosine, kind } of pairs) {
    const [train, held] = samples[a]!.split === 'train' ? [a, b] : [b, a];
    if (samples[train]!.split !== 'train' || samples[held]!.split === 'train') continue;
    leaked.add(held);
    const [t, h] = [samples[train]!, samples[held]!];
    leaks.push({ train: t.path, held: h.path, split: h.split, kind, cosine, sameLabel: t.label === h.label });
  }

  const labels = samples.map(({ label }) => label);
  const sizes = new Map<string, number>();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  const ranked =
    sizes.size < 2 || samples.length < folds
      ? []
      : await rankSuspects(createHead(HEAD.name, HEAD.options), X, labels, {
          normalize: 'none', // normalised already
          nSplits: folds,
          seed,
          keys: samples.map(({ path }) => path),
          groups: copyGroups(
            samples.length,
            pairs.map(({ a, b }) => [a, b] as const),
          ),
          ...(signal && { signal }),
        });
  const heldCount = (label: string): number =>
    samples.filter((sample) => sample.label === label && sample.split !== 'train').length;
  return {
    store,
    images: samples.length,
    exact: exact.map((rows) => rows.map((i) => samples[i]!.path)),
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
    smallClasses: [...sizes.keys()]
      .sort()
      .map((label) => ({ label, train: sizes.get(label)! - heldCount(label), held: heldCount(label) }))
      .filter(({ held }) => held < smallClass),
    smallClass,
  };
}
