import { reasonOf, PermafrostError } from '../../../core/errors.ts';
import { selectRows, type Matrix } from '../../../core/matrix.ts';
import { matrixRows } from '../../../core/rows.ts';
import type { TaughtHead } from '../../api/studio-data.ts';
import { createHead } from '../../../classify/heads/index.ts';
import type { FittedHead } from '../../../classify/head.ts';
import { topClass, wilsonInterval } from '../../../classify/evaluate/metrics.ts';
import { applyNormalizer, fitNormalizer, type Normalizer } from '../../../classify/normalize.ts';
import { stratifiedKFold } from '../../../classify/evaluate/split.ts';

/** What is fitted to taught images, as in `check`: among the best on pooled features. */
const HEAD = { name: 'logistic', options: { C: 10 }, normalize: 'l2' } as const;
const MOST_FOLDS = 5;
/** Groups that each class needs before its accuracy on unseen images can be measured. */
const LEAST_GROUPS = 3;
const SEED = 1;

export interface TaughtRow {
  readonly label: string;
  /** Distinct, and stable. */
  readonly key: string;
  /** Images that show the same: bytes that are equal, or one take of the camera. */
  readonly group: string;
}

/** Average-pooled features of the taught images, row i for rows[i]. */
export interface TaughtData {
  readonly X: Matrix;
  readonly rows: readonly TaughtRow[];
}

export interface FittedTaught {
  readonly head: FittedHead;
  readonly normalizer: Normalizer;
  readonly facts: TaughtHead;
}

async function fit(X: Matrix, labels: readonly string[]): Promise<Pick<FittedTaught, 'head' | 'normalizer'>> {
  const normalizer = await fitNormalizer(HEAD.normalize, matrixRows(X));
  const head = await createHead(HEAD.name, HEAD.options).fit(matrixRows(applyNormalizer(normalizer, X)), labels);
  return { head, normalizer };
}

/** Accuracy by cross-validation. A group stays in one fold: else a burst of the camera is tested on its own copies. */
async function validate({ X, rows }: TaughtData): Promise<TaughtHead['validated']> {
  const groups = new Map<string, Set<string>>();
  for (const { label, group } of rows) groups.set(label, (groups.get(label) ?? new Set<string>()).add(group));
  const least = Math.min(...[...groups.values()].map(({ size }) => size));
  if (least < LEAST_GROUPS) {
    const [label, { size }] = [...groups].find(([, { size: n }]) => n === least)!;
    return {
      missing: `Each class needs ${LEAST_GROUPS} independent images before its accuracy can be measured; ${label} has ${size}. Copies, and pictures of one take of the camera, count as one.`,
    };
  }
  const started = performance.now();
  const labels = rows.map(({ label }) => label);
  const folds = stratifiedKFold(labels, {
    keys: rows.map(({ key }) => key),
    groups: rows.map(({ group }) => group),
    nSplits: Math.min(MOST_FOLDS, least),
    seed: SEED,
  }).filter(({ val }) => val.length > 0);
  let hits = 0;
  for (const { train, val } of folds) {
    const { head, normalizer } = await fit(
      selectRows(X, train),
      train.map((i) => labels[i]!),
    );
    const P = await head.predictProba(applyNormalizer(normalizer, selectRows(X, val)));
    topClass(P).forEach((c, at) => {
      if (head.classes[c] === labels[val[at]!]) hits++;
    });
  }
  return {
    accuracy: hits / rows.length,
    interval: wilsonInterval(hits, rows.length),
    images: rows.length,
    folds: folds.length,
    groups: new Set(rows.map(({ group }) => group)).size,
    ms: performance.now() - started,
  };
}

/** Fits a head to taught images and measures it; a reason where there are fewer than two classes. */
export async function fitTaught(data: TaughtData): Promise<FittedTaught | { readonly missing: string }> {
  const labels = data.rows.map(({ label }) => label);
  if (new Set(labels).size < 2) return { missing: 'A head needs two classes with an image each.' };
  const started = performance.now();
  const fitted = await fit(data.X, labels);
  const fitMs = performance.now() - started;
  const validated = await validate(data).catch((error: unknown) => {
    if (error instanceof PermafrostError) return { missing: reasonOf(error) };
    throw error;
  });
  const { converged } = fitted.head;
  return { ...fitted, facts: { fitMs, converged, images: labels.length, validated } };
}
