import { join } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { readSafetensors, writeSafetensors, type SafeTensor } from '../../core/safetensors.ts';
import { fingerprintOf } from '../../store/format/fingerprint.ts';
import { viewSettings } from '../../extract/image/view-parameters.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import type { FileEntry, StoreFolder } from '../../store/format/manifest.ts';
import { readVerified } from '../../store/read/file.ts';
import type { WantedSet } from '../../store/read/stored-parts.ts';
import { DIGEST_BYTES, heldContents, heldElsewhere, type HeldContents } from '../../store/write/held-contents.ts';
import { SIDES } from '../../classify/evaluate/hold-out.ts';
import { keptSplit } from '../extract/kept-split.ts';
import type { ExtractOptions } from '../extract/options.ts';
import { readableList } from '../extract/readable-list.ts';
import { viewsRequest, type ElsewhereByPass } from '../extract/views.ts';
import type { Work } from '../work.ts';
import type { Plan, PlanFolder } from './plan-file.ts';

/** The features of a cut that are wanted. */
type Wanted = Pick<Plan['sets'][number], 'settings' | 'poolings'>;

const passName = (pass: number): string => (pass === 0 ? 'images' : `view ${pass}`);

/** The sets of a store that have what is wanted in a pass; undefined where one is not there. */
function setsOfPass({ manifest }: StoreFolder, wanted: readonly Wanted[], options: ExtractOptions, pass: number) {
  const { plan, seed } = viewsRequest(options);
  const found: WantedSet[] = [];
  for (const { settings, poolings } of wanted) {
    const view = pass === 0 ? {} : { view: { ...viewSettings(plan, seed), number: pass } };
    const fingerprint = fingerprintOf({ ...settings, ...view });
    const set = manifest.sets.find((one) => one.fingerprint === fingerprint);
    if (set === undefined) return undefined;
    found.push({ set, poolings });
  }
  return found;
}

/** The contents that the store holds out and will go on to hold out: their views are not wanted. */
async function* heldOutOf(store: StoreFolder, work: Work): AsyncGenerator<string> {
  const kept = await keptSplit(store, work);
  if (kept === undefined) return;
  for (const { sha256 } of (await readableList(store, work)) ?? []) if (kept.sideOf(sha256) === SIDES.val) yield sha256;
}

/** What a plan asks for. */
interface KnownRequest {
  readonly wanted: readonly Wanted[];
  readonly options: ExtractOptions;
  /** Whether the data set names its splits. */
  readonly hasSplits: boolean;
}

/**
 * The contents of which units need not make the features, by pass (of the images themselves, then of view 1, 2 ...):
 * those of which a store has all that is wanted, and of views those that it holds out. Undefined where there are none.
 */
export async function knownContents(
  store: StoreFolder,
  { wanted, options, hasSplits }: KnownRequest,
  work: Work,
): Promise<readonly HeldContents[] | undefined> {
  const heldOut: string[] = [];
  if (options.views > 0 && !hasSplits && !options.resplit)
    for await (const sha256 of heldOutOf(store, work)) heldOut.push(sha256);
  const passes: HeldContents[] = [];
  for (let pass = 0; pass <= options.views; pass++) {
    const sets = setsOfPass(store, wanted, options, pass) ?? [];
    passes.push(await heldContents(store.path, sets, pass === 0 ? [] : heldOut));
  }
  return passes.some(({ decoders }) => decoders.length > 0) ? passes : undefined;
}

/** Writes known contents into a plan's folder, 33 bytes a content and pass, under a name of their digest. */
export async function writeKnown(folder: string, passes: readonly HeldContents[]): Promise<FileEntry> {
  const tensors = new Map<string, SafeTensor>();
  for (const [pass, { digests, decoders }] of passes.entries()) {
    const shape = [decoders.length, DIGEST_BYTES];
    tensors.set(`${passName(pass)}/sha256`, { dtype: 'U8', shape, data: digests });
    tensors.set(`${passName(pass)}/decoder`, { dtype: 'U8', shape: [decoders.length], data: decoders });
  }
  const bytes = writeSafetensors(tensors);
  // Another one, of a store that has grown, must not take the place of the one that a worker is about to read.
  const name = `known-${sha256Hex(bytes).slice(0, 16)}.safetensors`;
  return { name, ...(await writeFileAtomic(join(folder, name), [bytes])) };
}

/** The contents that units need not extract; undefined where all are new. Throws STORE_CORRUPT. */
export async function openKnown({ path, plan }: PlanFolder): Promise<ElsewhereByPass | undefined> {
  if (plan.known === undefined) return undefined;
  const { file } = plan.known;
  const { tensors } = readSafetensors(await readVerified(path, file), {
    name: join(path, file.name),
    code: 'STORE_CORRUPT',
  });
  const bytesOf = (name: string): Uint8Array => (tensors.get(name)?.data ?? new Uint8Array()) as Uint8Array;
  const passes = Array.from({ length: tensors.size / 2 }, (_, pass) => {
    const { buffer, byteOffset, length } = bytesOf(`${passName(pass)}/sha256`);
    const digests = Buffer.from(buffer, byteOffset, length);
    return heldElsewhere({ digests, decoders: bytesOf(`${passName(pass)}/decoder`) });
  });
  return (pass) => passes[pass];
}
