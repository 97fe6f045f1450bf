import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { without } from '../../core/options.ts';
import { openStore, type Store } from '../../store/open.ts';
import type { CoveringNetwork, FeatureSet, Manifest } from '../../store/format/manifest.ts';
import { readManifest, writeManifest } from '../../store/format/manifest-file.ts';
import { isSameNetwork, nameOfNetwork } from '../../store/read/stored-networks.ts';
import { isWhole } from '../extract/covering-networks.ts';
import { extractStored } from '../extract/extract-stored.ts';
import type { Work } from '../work.ts';

/** What was extracted again of the networks of a store. */
export interface NetworksRepaired {
  readonly extracted: number;
  /** A sentence for each network of which that could not be done: why, and what to do. */
  readonly problems: readonly string[];
}

/** The networks of a data set with their sets, the primary one first. */
const networksOf = ({ dataset }: Manifest): readonly CoveringNetwork[] => [dataset, ...(dataset.others ?? [])];

/** The sets and views of a network alone: of the primary one the data set says more. */
const coveringOf = ({ sets, views }: CoveringNetwork): CoveringNetwork =>
  structuredClone({ sets, ...(views && { views }) });

/** The set that a network is told by: that of its deepest cut. */
const firstSet = ({ sets }: Manifest, network: CoveringNetwork): FeatureSet | undefined =>
  sets.find(({ fingerprint }) => fingerprint === network.sets[0]?.fingerprint);

/** What is missing to extract the features of a set again, and how they come back. */
function problemOf({ path, manifest }: Store, set: FeatureSet, error: PermafrostError): string {
  const name = nameOfNetwork(set);
  const { network, settings } = set;
  const isMissing = error.code === 'BACKBONE_NOT_FOUND' && network !== undefined;
  const reason = isMissing
    ? `its file, an ONNX file with the digest ${settings.weights}, is nowhere: it was ${network.file}.`
    : reasonOf(error);
  const backbone = network === undefined ? settings.backbone : isMissing ? 'FILE' : network.file;
  const weights = error.code === 'WEIGHTS_NOT_FOUND' ? ' --weights FILE' : '';
  return `What was lost of ${name} could not be extracted again: ${reason} What it has is kept, and no command takes it until "permafrost extract ${manifest.dataset.root} --backbone ${backbone}${weights} --store ${path}" has brought the rest.`;
}

/**
 * Extracts what each network of the data set lacks, of a store that is locked. Networks that are whole then stay what
 * they were, in their order; one that could not be mended is told, and falls out of the data set if another is whole.
 * Throws INTERRUPTED, and what is no PermafrostError.
 */
export async function extractMissingOfNetworks(store: Store, work: Work): Promise<NetworksRepaired> {
  const { path, manifest } = store;
  const problems: string[] = [];
  let extracted = 0;
  // The primary network comes last: it stays what was extracted last.
  for (const network of networksOf(manifest).toReversed()) {
    const set = firstSet(manifest, network)!;
    const draft = { path, manifest: await readManifest(path) };
    if (await isWhole(draft, network, await store.samples())) continue;
    const isPrimary = set.fingerprint === manifest.dataset.sets[0]!.fingerprint;
    const own = isPrimary ? store : store.throughNetwork(set.fingerprint);
    try {
      extracted += (await extractStored(own, { isNext: () => true }, work)).extracted;
    } catch (error) {
      if (!(error instanceof PermafrostError) || error.code === 'INTERRUPTED') throw error;
      problems.unshift(problemOf(store, set, error));
    }
  }
  const primary = await putInOrder(store);
  if (problems.length > 0 && primary !== undefined && !isSameNetwork(primary, firstSet(manifest, manifest.dataset)!))
    problems.push(`Until then ${nameOfNetwork(primary)} is the primary network.`);
  return { extracted, problems };
}

/** Makes the networks that are whole the data set's, in the order in which `before` has them; gives the first. */
async function putInOrder(before: Store): Promise<FeatureSet | undefined> {
  const store = { path: before.path, manifest: await readManifest(before.path) };
  const samples = await (await openStore(before.path)).samples();
  const whole: CoveringNetwork[] = [];
  const now = networksOf(store.manifest);
  for (const { sets } of networksOf(before.manifest)) {
    const network = now.find((one) => one.sets[0]?.fingerprint === sets[0]!.fingerprint);
    if (network !== undefined && (await isWhole(store, network, samples))) whole.push(network);
  }
  const [primary, ...others] = whole;
  // Where none is whole, the store says of which images it has no features.
  if (primary === undefined) return undefined;
  Object.assign(store.manifest, {
    dataset: {
      ...without(store.manifest.dataset, 'views', 'others'),
      ...coveringOf(primary),
      ...(others.length > 0 && { others: others.map(coveringOf) }),
    },
  });
  await writeManifest(store);
  return firstSet(store.manifest, primary);
}

/** Other networks that a manifest names, by the sets of their deepest cuts. */
export const otherNetworks = (manifest: Manifest): readonly FeatureSet[] =>
  (manifest.dataset.others ?? []).flatMap((network) => firstSet(manifest, network) ?? []);

/** What to do about other networks that fell out of the data set with their calibration; null where none did. */
export function lostOthersAdvice({ path, manifest }: Store, before: readonly FeatureSet[]): string | null {
  const there = new Set(otherNetworks(manifest).map(({ fingerprint }) => fingerprint));
  const lost = before.filter(({ fingerprint }) => !there.has(fingerprint)).map(nameOfNetwork);
  if (lost.length === 0) return null;
  return `The calibration of the features of ${lost.join(', ')} was lost, and they with it: run "permafrost extract ${manifest.dataset.root}" with its --backbone and --store ${path}, which makes them again.`;
}
