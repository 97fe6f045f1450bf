import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Contract } from '../../core/contract.ts';
import type { Listener } from '../../core/listener.ts';
import type { Backbone, GraphBackbone, GraphInput } from '../../extract/backbones/backbone.ts';
import { addedFile } from '../../extract/backbones/added-graphs.ts';
import { BUNDLED_GRAPHS, bundledGraph } from '../../extract/backbones/bundled-graphs.ts';
import type { OnnxFile } from '../../extract/backbones/onnx-file.ts';
import { contractForFile } from '../../extract/contracts/contract-for-file.ts';
import type { BackboneDescription } from '../../extract/contracts/backbone-json.ts';
import { imageInput, inputInWords } from '../../extract/onnx/image-input.ts';
import { probeGraph } from '../../extract/onnx/probe.ts';
import { readOnnxFile } from '../../extract/onnx/read-onnx.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';

/** The network whose features are wanted: which one, and what its pixels are. */
export interface FrozenNetwork {
  readonly backbone: Backbone;
  readonly contract: Contract;
  /** Of a list of layers another weights file than the bundled one ('': that); of a graph its own file. */
  readonly weights: string;
}

/**
 * What a graph is called: as its description says, or as its file. `onnx/model.onnx` is called as the folder around.
 */
function nameOf(path: string, description: BackboneDescription | undefined): string {
  if (description?.name !== undefined) return description.name;
  const stem = basename(path).replace(/\.onnx$/i, '');
  if (stem !== 'model') return stem;
  const folder = dirname(resolve(path));
  return basename(basename(folder) === 'onnx' ? dirname(folder) : folder);
}

/** Short names of cuts, and the tensors that they stand for. */
const aliasesOf = (description: BackboneDescription | undefined): ReadonlyMap<string, string> =>
  new Map(Object.entries(description?.cuts ?? {}).map(([name, { tensor }]) => [name, tensor]));

interface GraphRequest {
  readonly contract: Contract;
  /** Names of the cuts that are wanted beside the sensible ones. */
  readonly cuts: readonly string[];
  readonly description?: BackboneDescription | undefined;
  /** Of tokens: how many of the first are no patches, where that is known. */
  readonly prefix?: number | undefined;
  readonly layout?: GraphInput['layout'] | undefined;
}

/** A graph as a backbone: a run of it measures its cuts. Throws BACKBONE_INVALID. */
async function graphBackbone(
  file: OnnxFile,
  { contract, cuts, description, prefix, layout = description?.graph.layout }: GraphRequest,
  listener: Listener,
): Promise<GraphBackbone> {
  const aliases = aliasesOf(description);
  const described = Object.values(description?.cuts ?? {});
  const wanted = [
    ...new Set([...cuts.map((cut) => aliases.get(cut) ?? cut), ...described.map(({ tensor }) => tensor)]),
  ];
  const prefixes = described.flatMap(({ tensor, prefix: own }) => (own === undefined ? [] : [[tensor, own] as const]));
  const { notes, ...probed } = await probeGraph(file, {
    contract,
    cuts: wanted,
    ...(description && { input: description.graph.input }),
    layout,
    prefix,
    prefixes: new Map(prefixes),
  });
  for (const note of notes) listener.note?.(note);
  const { primary } = description ?? {};
  return {
    name: nameOf(file.path, description),
    file,
    ...probed,
    ...(primary !== undefined && { defaultCut: primary }),
    aliases,
  };
}

/** A network of an ONNX file, with what was found out on the way. */
export interface OpenedGraph {
  readonly backbone: GraphBackbone;
  readonly contract: Contract;
  /** Where the contract is from, in words. */
  readonly from: string;
  /** What a backbone.json says of it. */
  readonly description: BackboneDescription | undefined;
}

/**
 * Opens the network of an ONNX file. Its contract is named by the user, or found beside the file, and never guessed.
 * Throws BACKBONE_NOT_FOUND, BACKBONE_INVALID, CONTRACT_MISSING, CONTRACT_INVALID.
 */
export async function openGraph(
  path: string,
  { contract: named, cuts }: { readonly contract: string; readonly cuts: readonly string[] },
  listener: Listener = {},
): Promise<OpenedGraph> {
  const file = await readOnnxFile(path);
  const { metadata, digest, inputs } = file;
  const found = await contractForFile(path, {
    contract: named,
    size: imageInput(file).height,
    metadata,
    digest,
    input: inputs.map(inputInWords).join(', '),
  });
  const { contract, from, notes, backbone: description } = found;
  for (const note of notes) listener.note?.(note);
  const backbone = await graphBackbone(file, { contract, cuts, description }, listener);
  return { backbone, contract, from, description };
}

/** The network of an ONNX file, as openGraph opens it; says where its contract is from. Throws what that throws. */
export async function graphNetwork(
  path: string,
  request: { readonly contract: string; readonly cuts: readonly string[] },
  listener: Listener = {},
): Promise<FrozenNetwork> {
  const { backbone, contract, from } = await openGraph(path, request, listener);
  listener.note?.(`Backbone: ${backbone.name}, ${path}; its preprocessing is that of ${from}.`);
  return { backbone, contract, weights: path };
}

/** What is known of where the file of stored features lies. */
export interface GraphSources {
  /** The file, where the user names it. */
  readonly weights?: string | undefined;
  /** What it was called, and where it was last. */
  readonly known?: { readonly name: string; readonly file: string } | undefined;
  /** The cuts whose features are wanted. */
  readonly cuts: readonly string[];
}

async function onnxFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /\.onnx$/i.test(name)).map((name) => join(folder, name));
}

/** Places where the file of a digest may lie, the likeliest first: where it was, beside that, in the box, the cache. */
async function places(digest: string, { known }: GraphSources): Promise<readonly string[]> {
  const near = known === undefined ? [] : [known.file, ...(await onnxFilesIn(dirname(known.file)))];
  return [...new Set([...near, ...BUNDLED_GRAPHS.map(bundledGraph), addedFile(digest)])];
}

/** The file with that digest, wherever it lies. Throws BACKBONE_NOT_FOUND, and FINGERPRINT_MISMATCH for another. */
async function fileOfDigest(digest: string, sources: GraphSources): Promise<OnnxFile> {
  const { weights = '', known } = sources;
  if (weights !== '') {
    const file = await readOnnxFile(weights);
    if (file.digest === digest) return file;
    throw new PermafrostError(
      'FINGERPRINT_MISMATCH',
      `${weights} has the digest ${file.digest}, and the features were made by the network ${digest}. Give the file of that one with --weights FILE.`,
    );
  }
  const looked = await places(digest, sources);
  for (const path of looked) {
    const isFile = await stat(path).then(
      (facts) => facts.isFile(),
      () => false,
    );
    if (!isFile) continue;
    // What cannot be read is not the file.
    const file = await readOnnxFile(path).catch((error: unknown) => {
      if (!(error instanceof PermafrostError)) throw error;
    });
    if (file?.digest === digest) return file;
  }
  const name = known === undefined ? 'an ONNX file' : `${known.name}, an ONNX file`;
  throw new PermafrostError(
    'BACKBONE_NOT_FOUND',
    `The features were made by ${name} with the digest ${digest}, which is nowhere of: ${few(looked)}. Give it with --weights FILE, whatever it is called.`,
  );
}

/** The graph that made the features of these settings. Throws BACKBONE_NOT_FOUND, FINGERPRINT_MISMATCH. */
export async function graphOf(
  { weights: digest, contract, graph }: Pick<FeatureSettings, 'weights' | 'contract' | 'graph'>,
  sources: GraphSources,
  listener: Listener = {},
): Promise<FrozenNetwork> {
  const file = await fileOfDigest(digest, sources);
  const backbone = await graphBackbone(file, { contract, cuts: sources.cuts, ...graph }, listener);
  const name = sources.known?.name ?? backbone.name;
  return { backbone: { ...backbone, name }, contract, weights: file.path };
}
