import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText } from '../../core/file-stamp.ts';
import { matrix, row, type Matrix } from '../../core/matrix.ts';
import type { Pooling } from '../../core/sample.ts';
import type { HeadAnswer, HeadFacts, HeadVerdict } from '../../core/studio-data.ts';
import { differingSettings } from '../../store/fingerprint.ts';
import { setFeatures } from '../../store/reader.ts';
import { rowTargets } from '../../store/row-targets.ts';
import { probabilities } from '../evaluate.ts';
import { openHead, type OpenedHead } from '../head-files.ts';
import { judgeRaw } from '../predict.ts';
import type { Snapshot } from './live-store.ts';

/** Heads whose probabilities of all images are kept at once. */
const KEPT = 4;
/** Classes that an answer names. */
const SHOWN_CLASSES = 10;

/** What a head says of every image of a snapshot: P (n, classes), row i for samples[i]. */
export interface Verdicts {
  readonly classes: readonly string[];
  readonly P: Matrix;
}

/** The head files of a store, opened once. A file that changed is opened anew. */
export interface LiveHeads {
  list(snapshot: Snapshot): Promise<HeadFacts[]>;
  /** The answer of one head to one picture; what stands against asking it is data. */
  answer(id: string, features: ReadonlyMap<Pooling, Matrix>, snapshot: Snapshot): Promise<HeadAnswer>;
  /** Of all images, read in parts: no whole map of the data set is in memory at once. Throws OPTION_INVALID for an id that is not there. */
  verdicts(id: string, snapshot: Snapshot): Promise<Verdicts>;
}

/** Likeliest first. */
export function shownClasses(classes: readonly string[], p: Float32Array): HeadAnswer['classes'] {
  return classes
    .map((label, c) => ({ label, probability: p[c]! }))
    .sort((a, b) => b.probability - a.probability || (a.label < b.label ? -1 : 1))
    .slice(0, SHOWN_CLASSES);
}

/** The likeliest class of one row. */
export function verdictOf({ classes, P }: Verdicts, i: number): HeadVerdict {
  const p = row(P, i);
  let best = 0;
  for (let c = 1; c < p.length; c++) if (p[c]! > p[best]!) best = c;
  return { label: classes[best]!, probability: p[best]! };
}

/** The answer of a head about an image whose probabilities are known. */
export function answerOf(facts: HeadFacts, { classes, P }: Verdicts, i: number): HeadAnswer {
  const { id, name, pooling } = facts;
  return { head: id, name, pooling, classes: shownClasses(classes, row(P, i)), unknown: null, problem: null };
}

async function judgeAll(opened: OpenedHead, { store, set, samples }: Snapshot): Promise<Verdicts> {
  const { classes } = opened.head;
  const P = matrix(samples.length, classes.length);
  const targets = rowTargets(samples.map(({ sha256 }) => sha256));
  for await (const { rows, X } of setFeatures(store, set, opened.document.pooling)) {
    const found = await probabilities(opened, X);
    for (const [at, { sha256 }] of rows.entries())
      targets.meet(sha256, (i) => P.data.set(row(found, at), i * P.cols));
  }
  if (targets.missing > 0)
    throw new PermafrostError(
      'OPTION_INVALID',
      `The store lacks the ${opened.document.pooling} features of ${targets.missing} images. Run "permafrost extract" with that pooling in --cut.`,
    );
  return { classes, P };
}

export function liveHeads(store: string): LiveHeads {
  const folder = join(store, 'heads');
  const opened = new Map<string, { readonly stamp: string; readonly head: Promise<OpenedHead> }>();
  const judged = new Map<string, Promise<Verdicts>>();

  async function stampOf(id: string): Promise<string> {
    return stampText(await stat(join(folder, id), { bigint: true }));
  }
  async function files(): Promise<string[]> {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith('.safetensors')).sort();
  }
  async function open(id: string): Promise<OpenedHead> {
    // Only names that the folder itself tells become part of a path.
    if (!(await files()).includes(id))
      throw new PermafrostError(
        'OPTION_INVALID',
        `The store has no head ${JSON.stringify(id)}. It has: ${(await files()).join(', ') || 'none'}.`,
      );
    const stamp = await stampOf(id);
    const known = opened.get(id);
    if (known?.stamp === stamp) return known.head;
    const head = openHead(join(folder, id));
    opened.set(id, { stamp, head });
    head.catch(() => opened.delete(id));
    return head;
  }
  const problemOf = ({ document }: OpenedHead, { set }: Snapshot): string | null => {
    if (document.others !== undefined)
      return 'It reads features of several cuts, and the studio has those of one.';
    const differing = differingSettings(document.settings, set.settings);
    return differing.length === 0
      ? null
      : `It was trained on features of other settings: ${differing.join('; ')}.`;
  };
  async function factsOf(id: string, snapshot: Snapshot): Promise<HeadFacts> {
    try {
      const head = await open(id);
      const { name, pooling, classes, trained } = head.document;
      return { id, name, pooling, classes, trained: trained.images, problem: problemOf(head, snapshot) };
    } catch (error) {
      if (!(error instanceof PermafrostError)) throw error;
      return { id, name: id, pooling: 'avg', classes: [], trained: 0, problem: reasonOf(error) };
    }
  }

  return {
    async list(snapshot) {
      return Promise.all((await files()).map((id) => factsOf(id, snapshot)));
    },
    async answer(id, features, snapshot) {
      const facts = await factsOf(id, snapshot);
      const { name, pooling, problem } = facts;
      if (problem !== null) return { head: id, name, pooling, classes: [], unknown: null, problem };
      const head = await open(id);
      const X = features.get(pooling)!;
      const [P, judged] = await Promise.all([probabilities(head, X), judgeRaw(head, X)]);
      return {
        head: id,
        name,
        pooling,
        classes: shownClasses(head.head.classes, row(P, 0)),
        unknown: judged?.unknown[0] ?? null,
        problem,
      };
    },
    async verdicts(id, snapshot) {
      const head = await open(id);
      const problem = problemOf(head, snapshot);
      if (problem !== null) throw new PermafrostError('FINGERPRINT_MISMATCH', `${id}: ${problem}`);
      const key = `${snapshot.name}/${id}/${await stampOf(id)}`;
      const known = judged.get(key);
      if (known !== undefined) {
        judged.delete(key);
        judged.set(key, known);
        return known;
      }
      const found = judgeAll(head, snapshot);
      judged.set(key, found);
      found.catch(() => judged.delete(key));
      if (judged.size > KEPT) judged.delete(judged.keys().next().value!);
      return found;
    },
  };
}
