import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { POOLING_CHOICES } from '../../core/sample.ts';
import { readSeal } from './seal-beside.ts';
import { unseal } from './sealed-json.ts';
import { linesProblem, sealLines } from './sealed-lines.ts';

/** Where a store keeps what its sweeps found. */
export const SWEEPS_FOLDER = 'sweeps';

/** The file of all sweeps over the training images that `digest` names. */
export const ledgerPath = (store: string, digest: string): string => join(store, SWEEPS_FOLDER, `${digest}.jsonl`);

const score = z.strictObject({
  value: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  folds: z.array(z.number()),
});

const entrySchema = z.strictObject({
  /** Digest of all that decides the rest, fitMs excepted. */
  id: z.string(),
  /** Fingerprint and pooling of each part of the features. */
  features: z.string(),
  head: z.string(),
  params: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  cut: z.string(),
  pooling: z.enum(POOLING_CHOICES),
  normalize: z.enum(['l2', 'sqrt', 'standard', 'power', 'none']),
  pca: z.number().int().min(0),
  /** Not in lines of older versions, which knew of no views. */
  views: z.number().int().min(0).default(0),
  scores: z.strictObject({ accuracy: score, balancedAccuracy: score, logLoss: score }),
  fitMs: z.number(),
  converged: z.boolean(),
  iterations: z.number(),
  /** Held-out class of each training image: base64 of uint16, little endian, in the order of the samples. */
  predictions: z.base64(),
  /** Log loss of each: base64 of float32, little endian, in the same order. Not in lines of older versions. */
  losses: z.base64().optional(),
});

/** One configuration's result. */
export type LedgerEntry = z.infer<typeof entrySchema>;

export interface Ledger {
  readonly path: string;
  /** What is known, by id. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** What was wrong with lines that count for nothing, as `line 3: reason`. */
  readonly damaged: readonly string[];
  /** Adds a result at the end. Throws STORE_WRITE. */
  append(entry: LedgerEntry): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens an append-only file of results, one JSON document with its own digest a line; made where it is not there. A
 * line that is not what was written, such as a killed process's last, is reported and computed again. Throws
 * STORE_WRITE, and STORE_CORRUPT where the file cannot be read.
 */
export async function openLedger(path: string): Promise<Ledger> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return '';
    throw new PermafrostError('STORE_CORRUPT', `${path} cannot be read: ${reasonOf(cause)}.`, { cause });
  });
  const isWhole = (await ledgerProblem(path)) === undefined;
  const entries = new Map<string, LedgerEntry>();
  const damaged: string[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue;
    try {
      const entry = entryOf(line);
      entries.set(entry.id, entry);
    } catch (cause) {
      damaged.push(`line ${i + 1}: ${reasonOf(cause)}`);
    }
  }
  const unwritable = (cause: unknown): PermafrostError =>
    new PermafrostError(
      'STORE_WRITE',
      `${path} cannot be written: ${reasonOf(cause)}. What stands in it is kept; make room or give permission, then run the same command again.`,
      { cause },
    );
  const file = await mkdir(dirname(path), { recursive: true })
    .then(() => open(path, 'a'))
    .catch((cause: unknown) => {
      throw unwritable(cause);
    });
  // Only what is whole is sealed: else "permafrost verify" would not name it any more.
  const seal = async (): Promise<void> => {
    if (isWhole && (await isLonger(path))) await sealLines(path);
  };
  await seal();
  // What follows an incomplete last line must not become a part of it.
  let before = text === '' || text.endsWith('\n') ? '' : '\n';
  return {
    path,
    entries,
    damaged,
    async append(entry) {
      const line = `${before}${JSON.stringify({ ...entry, digest: sha256Hex(canonicalJson(entry)) })}\n`;
      before = '';
      await file.appendFile(line).catch((cause: unknown) => {
        throw unwritable(cause);
      });
    },
    async close() {
      await file.close();
      await seal();
    },
  };
}

/** The entry of a line. Throws a plain Error where the line is not what was written. */
function entryOf(line: string): LedgerEntry {
  const document = unseal(JSON.parse(line));
  if (JSON.stringify({ ...document, digest: sha256Hex(canonicalJson(document)) }) !== line)
    throw new Error('its content is whole, but not as it was written');
  return entrySchema.parse(document);
}

/** Whether a file has more than its seal speaks of: a sweep that computed nothing changes no byte. */
async function isLonger(path: string): Promise<boolean> {
  const found = await readSeal(path);
  return found.kind !== 'seal' || found.seal.bytes !== (await stat(path)).size;
}

/** What is wrong with a file of sweeps; undefined where it is whole. Its damaged lines are computed again. */
export const ledgerProblem = (path: string): Promise<string | undefined> =>
  linesProblem(path, (line) => {
    try {
      return line === '' || entryOf(line) !== undefined;
    } catch {
      return false;
    }
  });
