import { PermafrostError } from '../../core/errors.ts';
import { poolingsIn, widthOf, type FeaturePart, type PoolingChoice } from '../../core/sample.ts';
import type { CoveringNetwork, FeatureSet, StoreFolder } from '../format/manifest.ts';
import { currentSets, readFor, setsOf, type StoredPart, type WantedSet } from './stored-parts.ts';

/** A set by the name that parts of features call its cut by. */
export interface NamedSet extends WantedSet {
  /** The cut, where no other network of the store has one of that name; else `label/cut`. */
  readonly name: string;
  /** What its network is called in this store. */
  readonly label: string;
}

/** A network whose sets hold every image of the data set, the deepest cut first. */
export interface StoredNetwork {
  /** What it is called; networks of one name have the beginning of their digest behind it. */
  readonly label: string;
  readonly sets: readonly [NamedSet, ...NamedSet[]];
}

/** Networks are told apart by what ran: other preprocessing or another engine is the same network. */
export const isSameNetwork = (
  { settings: a }: Pick<FeatureSet, 'settings'>,
  { settings: b }: Pick<FeatureSet, 'settings'>,
): boolean => a.backbone === b.backbone && a.weights === b.weights;

/** What a set's network is called. */
export const nameOfNetwork = ({ network, settings }: FeatureSet): string => network?.name ?? settings.backbone;

/** The networks that cover the data set, as the manifest has them: the primary one first. */
const covering = ({ manifest: { dataset } }: StoreFolder): readonly CoveringNetwork[] => [
  dataset,
  ...(dataset.others ?? []),
];

/** All networks whose features the data set has, the primary one first. Throws STORE_EMPTY. */
export function storedNetworks(store: StoreFolder): readonly [StoredNetwork, ...StoredNetwork[]] {
  const [, ...others] = covering(store);
  const found: readonly (readonly WantedSet[])[] = [
    currentSets(store),
    ...others.map(({ sets }) => setsOf(store.manifest, sets)).filter((sets) => sets.length > 0),
  ];
  const names = found.map(([one]) => nameOfNetwork(one!.set));
  const networks = found.map((sets, i): StoredNetwork => {
    const isTwice = names.indexOf(names[i]!) !== names.lastIndexOf(names[i]!);
    const label = isTwice ? `${names[i]}@${sets[0]!.set.settings.weights.slice(0, 8)}` : names[i]!;
    const isElsewhere = (cut: string): boolean =>
      found.some((one, at) => at !== i && one.some(({ set }) => set.settings.cut === cut));
    const named = sets.map((one): NamedSet => {
      const { cut } = one.set.settings;
      return { ...one, label, name: isElsewhere(cut) ? `${label}/${cut}` : cut };
    });
    return { label, sets: named as [NamedSet, ...NamedSet[]] };
  });
  return networks as [StoredNetwork, ...StoredNetwork[]];
}

/**
 * The set of a cut: `label/cut`, or the cut alone, which is that of the primary network where it has one. Undefined
 * where there is none; throws OPTION_INVALID for a cut that several others have.
 */
function cutNamed(
  { path }: StoreFolder,
  networks: readonly [StoredNetwork, ...StoredNetwork[]],
  name: string,
): NamedSet | undefined {
  const [primary, ...others] = networks;
  const ofNetwork = ({ sets }: StoredNetwork): readonly NamedSet[] =>
    sets.filter(({ set }) => set.settings.cut === name);
  const [own] = ofNetwork(primary);
  if (own !== undefined) return own;
  const there = others.flatMap(ofNetwork);
  if (there.length > 1) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${path} has ${name} of several networks: ${there.map((one) => one.name).join(', ')}. Name one of these.`,
    );
  }
  if (there.length === 1) return there[0];
  for (const { label, sets } of networks) {
    const found = sets.find(({ set }) => name === `${label}/${set.settings.cut}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The set as it is of a view: of the images themselves (0), or of the training images in view 1 and up. */
function setNamed(store: StoreFolder, { set, poolings }: NamedSet, view: number): WantedSet | undefined {
  if (view === 0) return { set, poolings };
  const [primary, ...others] = covering(store);
  const isOf = ({ sets }: CoveringNetwork): boolean => sets.some(({ fingerprint }) => fingerprint === set.fingerprint);
  const other = others.find(isOf);
  const sets = other === undefined || isOf(primary!) ? currentSets(store, view) : viewSets(store, other, view);
  return sets.find((one) => one.set.settings.cut === set.settings.cut);
}

function viewSets(store: StoreFolder, { views = [] }: CoveringNetwork, view: number): readonly WantedSet[] {
  const sets = views[view - 1];
  if (sets !== undefined) return setsOf(store.manifest, sets);
  throw new PermafrostError(
    'OPTION_INVALID',
    `${store.path} holds ${views.length} views of each training image of one of its networks, not ${view}. Extract that network with --views ${view}: what is there is reused.`,
  );
}

/** How many views of each training image a store has of all of these cuts, by the names that it has for them. */
export function storedViews(store: StoreFolder, cuts: readonly string[]): number {
  const networks = storedNetworks(store);
  const counts = covering(store).map(({ sets, views = [] }) => ({
    views: views.length,
    fingerprints: new Set(sets.map(({ fingerprint }) => fingerprint)),
  }));
  const of = (cut: string): number => {
    const set = cutNamed(store, networks, cut)?.set;
    return counts.find(({ fingerprints }) => set !== undefined && fingerprints.has(set.fingerprint))?.views ?? 0;
  };
  return Math.min(...cuts.map(of));
}

/**
 * The parts that are asked for: poolings of the primary set, or several of any cuts of any network. Throws STORE_EMPTY,
 * and OPTION_INVALID, naming what there is, for a cut or pooling that was not extracted.
 */
export function storedParts(
  store: StoreFolder,
  wanted: PoolingChoice | readonly FeaturePart[],
  view = 0,
): StoredPart[] {
  const networks = storedNetworks(store);
  const { name: primary } = networks[0].sets[0];
  const parts = typeof wanted === 'string' ? poolingsIn(wanted).map((pooling) => ({ cut: primary, pooling })) : wanted;
  return parts.map(({ cut, pooling }) => {
    const named = cutNamed(store, networks, cut);
    const found = named && setNamed(store, named, view);
    const stored = found && readFor(found, pooling);
    if (stored === undefined) {
      const cutsOf = ({ sets }: StoredNetwork): string[] =>
        sets.map(({ name, poolings }) => `${name}:${poolings.join('+')}`);
      const there = networks.flatMap(cutsOf);
      const inWords =
        networks.length === 1
          ? there.join(', ')
          : networks.map((one) => `${cutsOf(one).join(', ')} (${one.label})`).join('; ');
      const network = networks[0].sets[0].set.tuned === undefined ? '' : ' and --backbone-file';
      const advice = networks.length === 1 ? ` with --cut ${[...there, `${cut}:${pooling}`].join(',')}${network}` : '';
      throw new PermafrostError(
        'OPTION_INVALID',
        `${store.path} was extracted at ${inWords}, so it has no ${cut}:${pooling}. Choose of these, or run "permafrost extract"${advice}: what is there is reused.`,
      );
    }
    const { set } = found!;
    return { cut: named!.name, network: named!.label, pooling, set, width: widthOf(set.widths, pooling), stored };
  });
}
