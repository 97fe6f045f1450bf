import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readSafetensors, writeSafetensors } from '../../core/safetensors.ts';
import { kindOf, type FileKindName } from '../format/file-kinds.ts';
import { answersFiles, readAnswersSeal } from '../format/answers/answers-seal.ts';
import { fileTimesProblem } from '../format/file-times-file.ts';
import { readJournal } from '../format/journal.ts';
import { readSeal, sealedProblem } from '../format/seal-beside.ts';
import { unsealExactly } from '../format/sealed-json.ts';
import { readLines, unfinishedInWords } from '../format/sealed-lines.ts';
import { sketchesProblem } from '../format/sketches-file.ts';
import { JOURNALS, type JournalName } from '../format/studio-files.ts';
import { ledgerProblem } from '../format/sweep-ledger.ts';
import { looksProblem } from '../format/validation-looks.ts';
import { headDigest } from '../read/heads/head-digest.ts';
import { readHead } from '../read/heads/head-file.ts';

/** What is wrong with a file that proves itself; undefined where it is what was written. */
type Prover = (store: string, name: string) => Promise<string | undefined>;

const problemIn = (work: () => Promise<unknown>): Promise<string | undefined> => work().then(() => undefined, reasonOf);

const text: Prover = (store, name) => problemIn(async () => unsealExactly(await readFile(join(store, name), 'utf8')));

/**
 * Reads a safetensors file whose document, under the metadata key `permafrost`, has the digest of all that is in it.
 * Throws a plain Error where it is not what was written.
 */
async function requireDocument(file: string): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readFile(file);
  const { metadata, tensors } = readSafetensors(bytes, { name: file, code: 'STORE_CORRUPT' });
  const written = metadata['permafrost'] ?? '';
  const json = JSON.parse(written) as Readonly<Record<string, unknown>>;
  const { digest, ...document } = json;
  // Byte by byte what would be written: other white space, or 1E-7 for 1e-7, would be a byte that changed unnoticed.
  if (JSON.stringify(json) !== written || !Buffer.from(writeSafetensors(tensors, metadata)).equals(bytes))
    throw new Error('its content is not as it was written');
  const numeric = new Map([...tensors].map(([key, { shape, data }]) => [key, { shape, data: data as Float32Array }]));
  // The first heads had none.
  if (digest !== undefined && digest !== headDigest(document, numeric))
    throw new Error('its digest is not that of its content');
  return document;
}

const tensors: Prover = async (store, name) => {
  const kind = kindOf(name)?.kind;
  if (kind === 'file times') return (await fileTimesProblem(store))?.message;
  if (kind === 'sketches') return (await sketchesProblem(store))?.message;
  const file = join(store, name);
  return problemIn(async () => {
    const { id } = await requireDocument(file);
    if (kind === 'head') await readHead(file);
    else if (`${String(id)}.safetensors` !== basename(name)) throw new Error('it is of another fine-tuning');
  });
};

const lines: Prover = (store, name) => {
  const kind = kindOf(name)?.kind;
  const file = join(store, name);
  if (kind === 'looks') return looksProblem(store);
  if (kind === 'sweeps') return ledgerProblem(file);
  return problemIn(() => readJournal<unknown>(file, JOURNALS[basename(name) as JournalName]));
};

/** A seal of answers, which names the head that it lies beside. */
const answersSeal: Prover = (store, name) =>
  problemIn(async () => {
    const { headFile } = await readAnswersSeal(join(store, name));
    if (basename(answersFiles(headFile).seal) !== basename(name)) throw new Error(`it is of ${headFile}`);
  });

/** A seal beside a file, whose file proves nothing of it. */
const seal: Prover = async (store, name) => {
  const found = await readSeal(join(store, dirname(name), basename(name, '.seal')));
  return found.kind === 'damaged' ? found.problem : undefined;
};

const named: Prover = async (store, name) =>
  problemIn(async () => {
    if (sha256Hex(await readFile(join(store, name))) !== basename(name)) throw new Error('it is not what was written');
  });

/** Kinds that others prove: the manifest, a seal of their kind, a plan. */
const PROVERS: Partial<Record<FileKindName | 'seal', Prover>> = {
  'index seal': text,
  'answers seal': answersSeal,
  map: async (store, name) => (await text(store, name)) ?? sealedProblem(join(store, name)),
  'plan of a run': text,
  'file times': tensors,
  sketches: tensors,
  head: tensors,
  'fine-tuning': tensors,
  failures: (store, name) => sealedProblem(join(store, name)),
  results: (store, name) => sealedProblem(join(store, name)),
  report: (store, name) => sealedProblem(join(store, name)),
  labels: (store, name) => sealedProblem(join(store, name)),
  journal: lines,
  sweeps: lines,
  looks: lines,
  'taught image': named,
  seal,
};

/** What is wrong with a file of a store, by what it says of itself; undefined where it is whole, or others prove it. */
export async function ownProblem(store: string, name: string): Promise<string | undefined> {
  const kind = kindOf(name)?.kind;
  return kind === undefined ? undefined : PROVERS[kind]?.(store, name);
}

/** What a killed process left at the end of a file of lines, in words; undefined where it did not. */
export async function unfinishedLine(store: string, name: string): Promise<string | undefined> {
  if (kindOf(name)?.proof !== 'lines') return undefined;
  const found = await readLines(join(store, name)).catch(() => undefined);
  return found === undefined || found.tail.length === 0 ? undefined : unfinishedInWords(found);
}

const entrySchema = z.object({
  name: z.string().regex(/^[\w-][\w.-]*$/),
  bytes: z.number(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type NamedFile = z.infer<typeof entrySchema>;

/** Every file that a sealed document names with length and SHA-256, wherever in it. */
export function filesNamedIn(document: unknown): NamedFile[] {
  if (document === null || typeof document !== 'object') return [];
  const own = entrySchema.safeParse(document);
  return own.success ? [own.data] : Object.values(document).flatMap(filesNamedIn);
}

/** What a plan names in its folder. Throws STORE_CORRUPT where it is not what was written. */
export async function filesOfPlan(plan: string): Promise<NamedFile[]> {
  try {
    return filesNamedIn(unsealExactly(await readFile(plan, 'utf8')));
  } catch (cause) {
    throw new PermafrostError('STORE_CORRUPT', `${plan} is not what was written: ${reasonOf(cause)}.`, { cause });
  }
}
