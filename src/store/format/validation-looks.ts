import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { SPLITS, type Split } from '../../core/sample.ts';
import { readSeal } from './seal-beside.ts';
import { unseal } from './sealed-json.ts';
import { linesProblem, sealLines } from './sealed-lines.ts';
import { SWEEPS_FOLDER } from './sweep-ledger.ts';

/** Where a store counts how often heads were measured on its validation images. */
export const LOOKS_NAME = 'looks.jsonl';

/** How often heads of a store were measured on its validation images. */
export interface ValidationLooks {
  /** Heads measured so far, those of this command included; the same head twice counts twice. */
  readonly heads: number;
  /** False where the store had heads before it began to count: then there were more. */
  readonly isComplete: boolean;
}

const lineSchema = z.union([
  z.strictObject({ begun: z.enum(['with the store', 'later']) }),
  z.strictObject({ command: z.string(), split: z.enum(SPLITS), heads: z.number().int().min(1) }),
]);
type Line = z.infer<typeof lineSchema>;

/** The looks of one store. */
export interface LooksCount {
  /**
   * Adds heads that were measured on a split, and tells of all. Null where the file cannot be written: the listener
   * hears it.
   */
  add(command: string, split: Split, heads: number): Promise<ValidationLooks | null>;
}

/**
 * Opens the count of a store, which begins here where there is none: before the command leaves anything. One sealed
 * JSON line a look, added at the end; a line that is not what was written counts as one head. A store that cannot be
 * written is no reason to fail: the listener's `note` hears it.
 */
export async function openLooks(store: string, listener?: Listener): Promise<LooksCount> {
  const path = join(store, LOOKS_NAME);
  const uncounted = (error: unknown): null => {
    listener?.note?.(`${path}: ${reasonOf(error)}. Looks at the validation images are not counted.`);
    return null;
  };
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    // A seal without its file tells of a count that was lost.
    const isLost = (await readSeal(path)).kind !== 'none';
    const begun = isLost || (await hasResults(store)) ? 'later' : 'with the store';
    const problem = await appendFile(path, sealed({ begun }))
      .then(() => sealLines(path))
      .then(() => undefined, uncounted);
    if (problem === null) return { add: () => Promise.resolve(null) };
  }
  return {
    async add(command, split, heads) {
      let text: string;
      let isWhole: boolean;
      try {
        text = await readFile(path, 'utf8');
        // What follows a killed process' half line must not become a part of it.
        const before = text === '' || text.endsWith('\n') ? '' : '\n';
        isWhole = (await looksProblem(store)) === undefined;
        await appendFile(path, before + sealed({ command, split, heads }));
        // Only what was whole before is sealed: else "permafrost verify" would not name it any more.
        if (isWhole) await sealLines(path);
      } catch (error) {
        return uncounted(error);
      }
      const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [parsed(line)]));
      const begun = lines.flatMap((line) => ('begun' in line ? [line.begun] : []));
      const before = lines.reduce(
        (sum, line) => sum + ('begun' in line ? 0 : line.split === split ? line.heads : 0),
        0,
      );
      return {
        heads: before + heads,
        isComplete: isWhole && begun.length > 0 && begun.every((one) => one === 'with the store'),
      };
    },
  };

  /** A damaged line stands for a look of one head at whatever split. */
  function parsed(line: string): Line | { split: Split; heads: number } {
    return lineOf(line) ?? { split: 'val', heads: 1 };
  }
}

function lineOf(line: string): Line | undefined {
  try {
    const document = unseal(JSON.parse(line));
    return sealed(document) === `${line}\n` ? lineSchema.parse(document) : undefined;
  } catch {
    return undefined;
  }
}

const sealed = (line: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify({ ...line, digest: sha256Hex(canonicalJson(line)) })}\n`;

/** What is wrong with the file of a store; undefined where it is whole, or not there. */
export const looksProblem = (store: string): Promise<string | undefined> =>
  linesProblem(join(store, LOOKS_NAME), (line) => line === '' || lineOf(line) !== undefined);

/** Makes the best of a damaged file: what is lost of it counts as looks that nobody counted. Throws STORE_WRITE. */
export async function mendLooks(store: string): Promise<void> {
  const path = join(store, LOOKS_NAME);
  try {
    await appendFile(path, `\n${sealed({ begun: 'later' })}`);
    await sealLines(path);
  } catch (cause) {
    throw new PermafrostError('STORE_WRITE', `${path} could not be mended: ${reasonOf(cause)}.`, { cause });
  }
}

/** Whether a store holds what older versions left without counting: a run's results, heads, or sweeps. */
async function hasResults(store: string): Promise<boolean> {
  const filled = (folder: string): Promise<boolean> =>
    readdir(join(store, folder)).then(
      (names) => names.length > 0,
      () => false,
    );
  const hasRun = stat(join(store, 'results.json')).then(
    () => true,
    () => false,
  );
  return (await Promise.all([hasRun, filled('heads'), filled(SWEEPS_FOLDER)])).includes(true);
}
