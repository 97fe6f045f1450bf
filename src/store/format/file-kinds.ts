import { sealedFile } from './seal-beside.ts';

/** How the bytes of a file are proven. */
export type Proof =
  /** The manifest names it, with length and SHA-256. */
  | 'manifest'
  /** JSON that carries the digest of its content. */
  | 'text'
  /** A safetensors file whose metadata carry the digest of its content. */
  | 'tensors'
  /** Length and SHA-256 stand in a seal of its kind: of an index, of a table of answers. */
  | 'own seal'
  /** Length and SHA-256 stand in the seal beside it (seal-beside.ts). */
  | 'seal'
  /** Lines that carry digests; where they end stands in the seal beside it. */
  | 'lines'
  /** Its name is the SHA-256 of its bytes. */
  | 'name'
  /** The plan in its folder names it, with length and SHA-256; a unit is a store of its own. */
  | 'plan'
  /** Nothing: it is the user's own, or gone before anybody could ask. */
  | 'none';

/** What `repair` does about a damaged file. */
export type Remedy =
  /** Drops it with what it holds, and extracts that again. */
  | 'extract'
  /** Removes it: whoever needs it next makes it again. */
  | 'remove'
  /** Writes it anew from what is whole beside it. */
  | 'renew'
  /** Leaves it, and says what to do: a person made it, or a command that repair does not repeat. */
  | 'tell';

/** A kind of file that may lie in a store. */
export interface FileKind {
  /** Its names, relative to the store, with forward slashes. */
  readonly names: RegExp;
  readonly proof: Proof;
  readonly remedy: Remedy;
  /** True where nothing but the manifest keeps it: what it does not name is left over. */
  readonly isNamed?: true;
  /** True where a seal lies beside it (seal-beside.ts). */
  readonly isSealed?: true;
  /** What to do about a damaged one that `repair` leaves: it follows "NAME is damaged:". */
  readonly advice?: string;
}

/** The seal of a shard, with the fingerprint of its set and its number. */
export const SHARD_SEAL = /^.*-([0-9a-f]{16})-(\d{5,})\.json$/;

const PLAN_AGAIN =
  'plan again with the same command, which keeps finished units; a damaged unit is extracted again when its folder is removed';
const RESTORE =
  'it came from a person and cannot be made again. Restore it from a copy; without one, remove it with its seal and begin anew';

/**
 * Every kind of file that may lie in a store, by its name; the first that fits counts. verify, repair, gc and the
 * removal of what is left over go by it, and docs/store-format.md has it as a table.
 */
export const FILE_KINDS = {
  // What a manifest names.
  manifest: { names: /^manifest\.json$/, proof: 'text', remedy: 'renew' },
  'manifest copy': { names: /^manifest-copy\.json$/, proof: 'text', remedy: 'renew' },
  'list of samples': { names: /^samples-[0-9a-f]{16}\.arrow$/, proof: 'manifest', remedy: 'extract', isNamed: true },
  shard: {
    names: /^[^/]*-[0-9a-f]{16}-\d{5,}-(rows|flatten|avg|max|gem|cls)\.arrow$/,
    proof: 'manifest',
    remedy: 'extract',
    isNamed: true,
  },
  'shard seal': { names: /^[^/]*-[0-9a-f]{16}-\d{5,}\.json$/, proof: 'text', remedy: 'extract', isNamed: true },
  calibration: { names: /^calibration-[0-9a-f]{16}\.json$/, proof: 'manifest', remedy: 'extract', isNamed: true },
  layers: { names: /^layers-[0-9a-f]{16}\.safetensors$/, proof: 'manifest', remedy: 'extract', isNamed: true },
  // What spares work.
  'file times': { names: /^file-times\.safetensors$/, proof: 'tensors', remedy: 'remove' },
  sketches: { names: /^sketches\.safetensors$/, proof: 'tensors', remedy: 'remove' },
  'index seal': { names: /^indexes\/hnsw-[0-9a-f]{16}\.json$/, proof: 'text', remedy: 'remove' },
  index: { names: /^indexes\/hnsw-[0-9a-f]{16}\.bin$/, proof: 'own seal', remedy: 'remove' },
  'answers seal': { names: /^heads\/[^/]+\.answers\.json$/, proof: 'text', remedy: 'remove' },
  answers: { names: /^heads\/[^/]+\.answers\.(parquet|csv)$/, proof: 'own seal', remedy: 'remove' },
  map: { names: /^studio\/map(-[0-9a-f]+)?\.json$/, proof: 'text', remedy: 'remove', isSealed: true },
  sweeps: { names: /^sweeps\/[^/]+\.jsonl$/, proof: 'lines', remedy: 'renew', isSealed: true },
  looks: { names: /^looks\.jsonl$/, proof: 'lines', remedy: 'renew', isSealed: true },
  failures: { names: /^failures\.csv$/, proof: 'seal', remedy: 'renew', isSealed: true },
  // What commands made.
  head: {
    names: /^heads\/[^/]+\.safetensors$/,
    proof: 'tensors',
    remedy: 'tell',
    isSealed: true,
    advice: 'train it again, or remove it with its seal',
  },
  'fine-tuning': {
    names: /^finetune\/[^/]+\.safetensors$/,
    proof: 'tensors',
    remedy: 'tell',
    advice: 'begin that fine-tuning anew with --restart',
  },
  results: {
    names: /^results\.json$/,
    proof: 'seal',
    remedy: 'tell',
    isSealed: true,
    advice: '"permafrost run" on the data set writes it anew and extracts nothing again',
  },
  report: {
    names: /^report\.html$/,
    proof: 'seal',
    remedy: 'tell',
    isSealed: true,
    advice: '"permafrost report" writes it anew',
  },
  // What a person made.
  journal: {
    names: /^studio\/(teach|features|review)\.jsonl$/,
    proof: 'lines',
    remedy: 'tell',
    isSealed: true,
    advice: RESTORE,
  },
  'cut line': { names: /^studio\/(teach|features|review)\.jsonl\.cut$/, proof: 'none', remedy: 'tell' },
  'taught image': {
    names: /^studio\/images\/[0-9a-f]{64}$/,
    proof: 'name',
    remedy: 'tell',
    advice:
      "it came from a person and cannot be made again. Restore it from a copy; without one, delete that image in the studio's part Teach",
  },
  labels: {
    names: /^studio\/labels\.csv$/,
    proof: 'seal',
    remedy: 'tell',
    isSealed: true,
    advice: 'save it again in the studio; where you changed it yourself, remove labels.csv.seal beside it',
  },
  'taught data set': { names: /^taught\//, proof: 'none', remedy: 'tell' },
  // Plans for several machines.
  'plan of a run': { names: /^parts\/[0-9a-f]{16}\/plan\.json$/, proof: 'text', remedy: 'tell', advice: PLAN_AGAIN },
  'plan state': {
    names: /^parts\/([0-9a-f]{16}\/(merged|shared-at|\.u-[^/]+\/.*)|\.merged-.*)$/,
    proof: 'none',
    remedy: 'tell',
  },
  'plan files': { names: /^parts\/[0-9a-f]{16}\/.+$/, proof: 'plan', remedy: 'tell', advice: PLAN_AGAIN },
  // What comes and goes.
  lock: { names: /^(studio\/)?writer\.lock([.].*)?$/, proof: 'none', remedy: 'tell' },
  'unfinished file': { names: /\.tmp$/, proof: 'none', remedy: 'tell' },
} as const satisfies Readonly<Record<string, FileKind>>;
export type FileKindName = keyof typeof FILE_KINDS;

const KINDS = Object.entries(FILE_KINDS) as readonly (readonly [FileKindName, FileKind])[];

/** The kind of a file by its name, relative to the store; undefined for what is none of permafrost's. */
export function kindOf(name: string): (FileKind & { readonly kind: FileKindName | 'seal' }) | undefined {
  const path = name.replaceAll('\\', '/');
  const found = KINDS.find(([, { names }]) => names.test(path));
  if (found !== undefined) return { kind: found[0], ...found[1] };
  const of = sealedFile(path);
  const sealed = of === undefined ? undefined : KINDS.find(([, kind]) => kind.names.test(of));
  if (sealed?.[1].isSealed !== true) return undefined;
  return { kind: 'seal', names: sealed[1].names, proof: 'text', remedy: 'renew' };
}
