import { existsSync } from 'node:fs';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import type { Failure } from '../../core/sample.ts';
import { isLayerBackbone, type Backbone } from '../../extract/backbones/backbone.ts';
import { cutLayerNames } from '../../extract/backbones/cut-layers.ts';
import { layerBackbone } from '../../extract/backbones/layer-backbones.ts';
import { layersOfWeights } from '../../extract/weights/layers-of-weights.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import type { ExtractResult, NetworkExtracted } from '../../results/extract-result.ts';
import type { FeatureSet } from '../../store/format/manifest.ts';
import { FASTER_BACKBONE } from '../network/backbone-options.ts';
import { namesOfCuts, parseCuts } from '../network/cuts.ts';
import { frozenNetwork, type FrozenNetwork, type NetworkRequest } from '../network/frozen-network.ts';
import type { Work } from '../work.ts';
import { extractDataset } from './extract-dataset.ts';
import { EXTRACT_DEFAULTS, type ExtractOptions } from './options.ts';

/** A network whose features are wanted, and at which cuts, as `--cut` names those of one network. */
export interface WantedNetwork {
  readonly network: FrozenNetwork;
  readonly cut: string;
}

/** The names that `--backbone` lists, commas between them; a file whose own name holds one is one name. */
export const backboneNames = (backbone: string): readonly string[] =>
  existsSync(backbone) ? [backbone] : backbone.split(',').map((name) => name.trim());

/**
 * The networks that `--backbone` names, the primary one first. Throws OPTION_INVALID for one that is named twice, for
 * cuts that none of them has, and for a contract or weights that are of none; and what layersOfWeights and
 * frozenNetwork throw.
 */
export async function wantedNetworks(
  { backbone, contract, weights, cut }: NetworkRequest,
  listener?: Listener,
): Promise<readonly [WantedNetwork, ...WantedNetwork[]]> {
  const names = backboneNames(backbone);
  if (names.length === 1) {
    const network = await frozenNetwork({ backbone: names[0]!, contract, weights, cut }, listener);
    parseCuts(cut, network.backbone);
    return [{ network, cut }];
  }
  if (contract !== '') {
    throw new PermafrostError(
      'OPTION_INVALID',
      `--contract ${contract} is of one backbone, and --backbone names ${names.length}: ${names.join(', ')}. Leave it out, or extract them one after the other into one store.`,
    );
  }
  const lists = names.flatMap((name) => layerBackbone(name) ?? []);
  if (weights !== '' && lists.length === 0) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `--weights ${weights} is of a list of layers, and --backbone names none: an ONNX file holds its own weights. Leave --weights out.`,
    );
  }
  // Of the other lists those count that come along.
  const owner = weights === '' ? undefined : (await layersOfWeights(weights, lists)).backbone.name;
  const weightsOf = (name: string): string => (name === owner ? weights : '');
  // First as they are, for their names and tensors; then measured at the cuts that are wanted.
  const bare = await Promise.all(
    names.map((name) => frozenNetwork({ backbone: name, contract: '', weights: weightsOf(name), cut: '' }, listener)),
  );
  const ids = bare.map(({ backbone: one }) => (isLayerBackbone(one) ? one.name : one.file.digest));
  const twice = ids.findIndex((id, i) => ids.indexOf(id) !== i);
  if (twice !== -1)
    throw new PermafrostError('OPTION_INVALID', `--backbone names ${names[twice]} twice. Name each network once.`);
  const cuts = cutsByNetwork(
    cut,
    bare.map((one) => one.backbone),
  );
  const wanted: WantedNetwork[] = [];
  for (const [i, name] of names.entries()) {
    const own = cuts[i]!;
    const network =
      own === '' || isLayerBackbone(bare[i]!.backbone)
        ? bare[i]!
        : await frozenNetwork({ backbone: name, contract: '', weights: '', cut: own });
    parseCuts(own, network.backbone);
    wanted.push({ network, cut: own });
  }
  return wanted as [WantedNetwork, ...WantedNetwork[]];
}

function hasCut(backbone: Backbone, cut: string): boolean {
  if (isLayerBackbone(backbone)) return cutLayerNames(backbone).includes(cut);
  const { aliases, file } = backbone;
  return aliases?.has(cut) === true || file.nodes.some(({ outputs }) => outputs.includes(cut));
}

/** What of `--cut` is meant for each of several networks: `name/cut`, or a cut by itself for each that has it. */
function cutsByNetwork(text: string, backbones: readonly Backbone[]): readonly string[] {
  const cuts = backbones.map((): string[] => []);
  for (const item of text === '' ? [] : text.split(',').map((one) => one.trim())) {
    const [name] = namesOfCuts(item);
    const labelled = backbones.findIndex((one) => item.startsWith(`${one.name}/`));
    if (labelled !== -1) {
      cuts[labelled]!.push(item.slice(backbones[labelled]!.name.length + 1));
      continue;
    }
    const having = cuts.filter((_, i) => hasCut(backbones[i]!, name!));
    if (having.length === 0) {
      const there = backbones.map((one) => `${one.name}/${cutLayerNames(one).at(-1)}`);
      throw new PermafrostError(
        'OPTION_INVALID',
        `--cut ${item}: none of ${backbones.map((one) => one.name).join(', ')} has the cut ${name}. Name a backbone's cut as in ${there.join(' or ')}.`,
      );
    }
    for (const own of having) own.push(item);
  }
  return cuts.map((own) => own.join(','));
}

/** From so many seconds of extraction on it is said what the faster backbone would take. */
const LONG_SECONDS = 10;

/** What one of several extractions says of its network. */
const ofNetwork = (network: FrozenNetwork, result: ExtractResult): NetworkExtracted => ({
  backbone: network.backbone.name,
  extracted: result.extracted,
  reused: result.reused,
  unread: result.unread,
  failed: result.failed.length,
  extractedBecause: result.extractedBecause,
  views: result.views,
  engine: result.engine,
  cosineToFp32: result.cosineToFp32,
  contract: result.contract,
  contractId: result.contractId,
  cut: result.cut,
  weights: result.weights,
  seconds: result.seconds,
  trace: result.trace,
});

/** Whether a set is of that network. */
const isOf = ({ settings }: FeatureSet, { backbone }: FrozenNetwork): boolean =>
  isLayerBackbone(backbone) ? settings.backbone === backbone.name : settings.weights === backbone.file.digest;

/**
 * As extractDataset, of several networks into one store, one after the other: each image is read and decoded once a
 * network. The first named comes last, for the network that was extracted last is the primary one.
 */
export async function extractNetworks(
  datasetPath: string,
  dataset: Dataset,
  options: ExtractOptions,
  work: Work,
  wanted: readonly WantedNetwork[],
): Promise<ExtractResult> {
  const [primary, ...others] = wanted;
  const extracted: NetworkExtracted[] = [];
  const warnings: string[] = [];
  const failed = new Map<string, Failure>();
  const { listener } = work;
  const said = new Set<string>();
  // What is true of the images is said once.
  const once = { ...work, listener: listener && { ...listener, note: (text: string) => noteOnce(text) } };
  function noteOnce(text: string): void {
    if (!said.has(text)) listener?.note?.(text);
    said.add(text);
  }
  for (const [i, { network, cut }] of [...others].reverse().entries()) {
    listener?.note?.(`${network.backbone.name}, ${i + 1} of ${wanted.length} backbones:`);
    const next = wanted.slice(0, others.length - i);
    const isNext = (set: FeatureSet): boolean => next.some((one) => isOf(set, one.network));
    const result = await extractDataset(datasetPath, dataset, { ...options, cut }, once, { network, isNext });
    extracted.unshift(ofNetwork(network, result));
    warnings.push(...result.warnings);
    for (const failure of result.failed) failed.set(failure.path, failure);
  }
  const { network, cut } = primary!;
  if (others.length > 0) listener?.note?.(`${network.backbone.name}, ${wanted.length} of ${wanted.length} backbones:`);
  const result = await extractDataset(datasetPath, dataset, { ...options, cut }, once, { network });
  const isDefault = others.length === 0 && network.backbone.name === EXTRACT_DEFAULTS.backbone;
  if (isDefault && result.extracted > 0 && result.seconds.extract > LONG_SECONDS) listener?.note?.(FASTER_BACKBONE);
  if (others.length === 0) return isDefault ? result : { backbone: network.backbone.name, ...result };
  return {
    backbone: network.backbone.name,
    ...result,
    others: extracted,
    warnings: [...new Set([...warnings, ...result.warnings])],
    failed: [...failed.values(), ...result.failed.filter(({ path }) => !failed.has(path))],
  };
}
