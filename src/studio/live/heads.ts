import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { stampText } from '../../core/files/file-stamp.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import type { FeaturePart } from '../../core/sample.ts';
import type { HeadAnswer, HeadFacts } from '../api/studio-data.ts';
import type { Answer } from '../../results/answer-results.ts';
import { present, type OrReason } from '../../results/or-reason.ts';
import { partsText } from '../../store/read/stored-parts.ts';
import { unusualText } from '../../report/reject-report.ts';
import { storedPartsOfHead } from '../../workflows/train/head-parts.ts';
import { answersOf, likeliest } from '../../workflows/classifier/answers-of.ts';
import { openHead, type OpenedHead } from '../../workflows/train/files/head-files.ts';
import type { Snapshot } from './snapshot.ts';
import { answersBeside, verdictsOn, type AskedHead, type Verdicts } from './verdicts.ts';
import { mutex } from '../../core/mutex.ts';

/** Heads whose verdicts on all images are kept at once, at 8 bytes an image. */
const KEPT = 4;
/** Classes that an answer names. */
const SHOWN_CLASSES = 10;

/** A picture that heads are asked about: the SHA-256 of its file, and parts of its features, shape (1, width). */
export interface AskedPicture {
  readonly sha256: string;
  featuresIn(part: FeaturePart): Promise<Matrix>;
}

/** What a head reads of a picture: its parts side by side, shape (1, width). */
async function featuresFor({ opened, parts: wanted }: AskedHead, picture: AskedPicture): Promise<Matrix> {
  const parts = await Promise.all(wanted.map((part) => picture.featuresIn(part)));
  const X = matrix(1, opened.document.width);
  let at = 0;
  for (const { data } of parts) {
    X.data.set(data, at);
    at += data.length;
  }
  return X;
}

/** The head files of a store, opened once. A file that changed is opened anew. */
export interface LiveHeads {
  list(snapshot: Snapshot): Promise<HeadFacts[]>;
  /** What those of the heads that can be asked read, of any cut of any network. Throws OPTION_INVALID. */
  partsOf(ids: readonly string[], snapshot: Snapshot): Promise<FeaturePart[]>;
  /** One head's answer about a picture; a problem is data. */
  answer(id: string, picture: AskedPicture, snapshot: Snapshot): Promise<HeadAnswer>;
  /**
   * Of all images: as the table beside the head has them, where that fits, else read in parts. Throws OPTION_INVALID
   * for an unknown id, and for a head that reads its training rows
   * from the store once for each part: that would take hours.
   */
  verdicts(id: string, snapshot: Snapshot): Promise<Verdicts>;
}

/** A head on features that the store has, of any of its networks; or why it cannot be asked. */
function askedHead(opened: OpenedHead, { store }: Snapshot): OrReason<AskedHead> {
  const { document } = opened;
  const stored = storedPartsOfHead(store, document);
  if (present(stored)) return { opened, parts: stored.parts };
  const isTuned = document.tuned !== undefined || document.settings.tail !== undefined;
  return {
    missing: isTuned
      ? 'It reads features of a tuned network. To ask it, start the studio with --backbone-file and its file.'
      : `It was trained on features that the store does not have: ${stored.missing}.`,
  };
}

/** Likeliest first. */
export const shownClasses = (answer: Pick<Answer, 'probabilities'>): HeadAnswer['classes'] =>
  likeliest(answer, SHOWN_CLASSES);

export function liveHeads(store: string): LiveHeads {
  const folder = join(store, 'heads');
  const opened = new Map<string, { readonly stamp: string; readonly head: Promise<OpenedHead> }>();
  const judged = new Map<string, Promise<Verdicts>>();
  const exclusive = mutex();

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
    // Only names listed in the folder become part of a path.
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
  async function factsOf(id: string, snapshot: Snapshot): Promise<HeadFacts> {
    try {
      const opened = await open(id);
      const { name, settings, classes, trained, pooling: first } = opened.document;
      const asked = askedHead(opened, snapshot);
      const primary = snapshot.networks[0]!.sets[0].name;
      const pooling = present(asked) ? partsText(primary, asked.parts) : `${settings.cut}:${first}`;
      return { id, name, pooling, classes, trained: trained.images, problem: present(asked) ? null : asked.missing };
    } catch (error) {
      if (!(error instanceof PermafrostError)) throw error;
      return { id, name: id, pooling: 'avg', classes: [], trained: 0, problem: reasonOf(error) };
    }
  }

  return {
    async list(snapshot) {
      return Promise.all((await files()).map((id) => factsOf(id, snapshot)));
    },
    async partsOf(ids, snapshot) {
      const asked = await Promise.all(ids.map(async (id) => askedHead(await open(id), snapshot)));
      return asked.flatMap((one) => (present(one) ? one.parts : []));
    },
    async answer(id, image, snapshot) {
      const { name, pooling, problem } = await factsOf(id, snapshot);
      const found = problem === null ? askedHead(await open(id), snapshot) : { missing: problem };
      const unasked = { classes: [], unknown: null, unusual: null, trainedOn: null };
      if (!present(found)) return { head: id, name, pooling, ...unasked, problem: found.missing };
      const head = found.opened;
      const X = await featuresFor(found, image);
      // Rows that are read from the store have one reader at a time.
      const answers = await (head.rowsMemory > 0 ? exclusive(() => answersOf(head, X)) : answersOf(head, X));
      const { strangeness, unknown, ...answer } = answers[0]!;
      return {
        head: id,
        name,
        pooling,
        classes: shownClasses(answer),
        unknown: strangeness === null ? null : unknown,
        unusual: unknown ? unusualText(strangeness!) : null,
        trainedOn: head.trainedOn?.has(image.sha256) ?? null,
        problem,
      };
    },
    async verdicts(id, snapshot) {
      const asked = askedHead(await open(id), snapshot);
      if (!present(asked)) throw new PermafrostError('FINGERPRINT_MISMATCH', `${id}: ${asked.missing}`);
      const head = asked.opened;
      const key = `${snapshot.name}/${id}/${await stampOf(id)}`;
      const known = judged.get(key);
      if (known !== undefined) {
        judged.delete(key);
        judged.set(key, known);
        return known;
      }
      const table = await answersBeside(join(folder, id), head, snapshot);
      if (head.rowsMemory > 0 && table?.isWhole !== true)
        throw new PermafrostError(
          'OPTION_INVALID',
          `${id} compares an image with ${head.document.trained.images} training images that it reads from the disk: for all ${snapshot.samples.length} images that would take hours. Choose another head; about single images this one can be asked.`,
        );
      const found = verdictsOn(asked, snapshot, table);
      judged.set(key, found);
      found.catch(() => judged.delete(key));
      if (judged.size > KEPT) judged.delete(judged.keys().next().value!);
      return found;
    },
  };
}
