import { basename, dirname, join, resolve } from 'node:path';
import type { Contract } from '../../core/contract.ts';
import { differences } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { CONTRACT_NAMES, CONTRACTS } from '../contract.ts';
import { BACKBONE_FILE, isOfAnotherGraph, type BackboneDescription } from './backbone-json.ts';
import { contractInvalid } from './contract-invalid.ts';
import { FORMATS, METADATA, type Description } from './formats.ts';
import { PRESET_NAMES, presetContract, presetLines } from './presets.ts';
import { jsonOf, parsedJson } from './read-json.ts';

/** What is known of a network before its contract is. */
export interface ContractRequest {
  /** What the user named: a preset, a JSON file; empty: nothing. */
  readonly contract: string;
  /** The side of the input in pixels; undefined where it is open. */
  readonly size: number | undefined;
  /** The file's metadata_props. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The graph's digest; a backbone.json of another graph is not looked at. */
  readonly digest?: string | undefined;
  /** The input in words, for messages: `image float32 [batch, 3, 224, 224]`. */
  readonly input?: string | undefined;
}

export interface FoundContract {
  readonly contract: Contract;
  /** Where it is from, in words. */
  readonly from: string;
  /** What a user should hear: sources that say something else. */
  readonly notes: readonly string[];
  /** All that a backbone.json says. */
  readonly backbone?: BackboneDescription;
}

/** One place that may say what the contract is; it is read only when it is asked. */
interface Source {
  readonly from: string;
  readonly read: () => Description;
}

/**
 * The contract of a network in an ONNX file: what the user named; else a description beside the file, or one folder up;
 * else its metadata. Never a guess. Throws CONTRACT_MISSING with the presets, CONTRACT_INVALID for a description that
 * permafrost cannot follow or that does not fit the input.
 */
export async function contractForFile(onnxPath: string, request: ContractRequest): Promise<FoundContract> {
  const named = request.contract === '' ? [] : [await namedSource(request)];
  const [first, ...others] = [
    ...named,
    ...(await besideSources(onnxPath, request)),
    ...metadataSources(onnxPath, request),
  ];
  if (first === undefined) throw missing(onnxPath, request);
  const found = first.read();
  requireSize(first.from, found.contract, request.size);
  const notes = others.flatMap((other) => contradiction(first, found.contract, other));
  return { ...found, from: first.from, notes };
}

function requireSize(from: string, contract: Contract, size: number | undefined): void {
  if (size === undefined || size === contract.size) return;
  throw contractInvalid(from, 'size', contract.size, `the network's input has a side of ${size} pixels`);
}

/** What another source says differently, in a sentence; nothing where it says the same. */
function contradiction(first: Source, counts: Contract, other: Source): readonly string[] {
  let contract: Contract;
  try {
    ({ contract } = other.read());
  } catch (error) {
    if (!(error instanceof PermafrostError && error.code === 'CONTRACT_INVALID')) throw error;
    return [`${other.from} is not followed (${reasonOf(error)}); ${first.from} counts.`];
  }
  const differing = differences({ ...contract, name: '' }, { ...counts, name: '' });
  return differing.length === 0
    ? []
    : [`${other.from} says otherwise (${differing.join('; ')}); ${first.from} counts.`];
}

async function namedSource({ contract: named, size }: ContractRequest): Promise<Source> {
  const side = size ?? 224;
  const why = size === undefined ? "taken because the input's size is open" : "the input's own";
  if ((PRESET_NAMES as readonly string[]).includes(named))
    return {
      from: `the preset ${named} (${side} pixels, ${why})`,
      read: () => ({ contract: presetContract(named, side) }),
    };
  if (Object.hasOwn(CONTRACTS, named)) {
    const contract = CONTRACTS[named as keyof typeof CONTRACTS];
    return { from: `the contract ${named}`, read: () => ({ contract }) };
  }
  const json = await jsonOf(named);
  if (json === undefined) {
    const names = [...PRESET_NAMES, ...CONTRACT_NAMES];
    throw new PermafrostError(
      'OPTION_INVALID',
      `--contract ${named} is no file, and no name of a contract${suggest(named, names)}. The names are: ${names.join(', ')}.`,
    );
  }
  const format = FORMATS.find(({ isOne }) => isOne(Object(json) as Record<string, unknown>))!;
  return { from: `${named} (a description of ${format.by})`, read: () => format.read(named, json, size) };
}

/** Descriptions beside the file, then those one folder up: there they lie where Hugging Face has onnx/model.onnx. */
async function besideSources(onnxPath: string, { digest, size }: ContractRequest): Promise<Source[]> {
  const folder = dirname(resolve(onnxPath));
  const sources: Source[] = [];
  for (const place of new Set([folder, dirname(folder)])) {
    for (const { file, by, isAmongOthers = false, isOne, read } of FORMATS) {
      if (file === undefined) continue;
      const path = join(place, file);
      const from = `${path} (${by})`;
      const json = await jsonOf(path).catch((error: unknown) => {
        if (!isAmongOthers) throw error;
      });
      if (json === undefined || (isAmongOthers && !isOne(Object(json) as Record<string, unknown>))) continue;
      let follow = (): Description => read(path, json, size);
      if (file === BACKBONE_FILE) {
        try {
          if (isOfAnotherGraph(path, json, onnxPath, digest)) continue;
        } catch (error) {
          // It is no matter where the user names another contract.
          follow = () => {
            throw error;
          };
        }
      }
      sources.push({ from, read: follow });
    }
  }
  return sources;
}

/** What the exporters of the file wrote into it. */
function metadataSources(onnxPath: string, { metadata, size }: ContractRequest): Source[] {
  return METADATA.flatMap(({ key, read }) => {
    const text = metadata.get(key);
    if (text === undefined) return [];
    const from = `the metadata "${key}" of ${basename(onnxPath)}`;
    return [{ from, read: () => read(from, parsedJson(from, text), size) }];
  });
}

function missing(onnxPath: string, { input, size }: ContractRequest): PermafrostError {
  const reads = input ?? (size === undefined ? 'squares of any size' : `squares of ${size} x ${size} pixels`);
  const files = FORMATS.flatMap(({ file }) => file ?? []).join(', ');
  return new PermafrostError(
    'CONTRACT_MISSING',
    `Nothing says how images enter ${onnxPath}, which reads ${reads}: no ${files} lies beside it or one folder up, and its metadata do not tell. ` +
      'A wrong guess costs accuracy without a word, so none is made. Give --contract with a description of it (FILE.json), or with what its authors used:\n' +
      presetLines().join('\n'),
  );
}
