import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import type { Contract } from '../../core/contract.ts';
import { canonicalJson } from '../../core/digest.ts';
import { without } from '../../core/options.ts';
import { contractFromJson } from './contract-json.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { jsonOf } from './read-json.ts';

/** The name under which a description lies beside its network. */
export const BACKBONE_FILE = 'backbone.json';
/** What a backbone.json says at its beginning. */
export const BACKBONE_FORMAT = 'backbone/1';

const axes = z.enum(['NCHW', 'NHWC', 'tokens', 'vector']);

/** What the axes of a tensor mean: of a map, of tokens (batch, tokens, channels), of one vector an image. */
export type CutAxes = z.infer<typeof axes>;

/** A tensor of the graph whose values are features. */
export interface DescribedCut {
  readonly tensor: string;
  readonly axes: CutAxes;
  /** Of tokens: how many of them, the first ones, are no patches (class and register tokens); absent: 0. */
  readonly prefix?: number;
}

/** A backbone as its backbone.json describes it. */
export interface BackboneDescription {
  readonly name?: string;
  readonly licence?: string;
  /** Where the network is from: an address, a package. */
  readonly source?: string;
  readonly graph: {
    /** Name of the ONNX file, relative to the description's folder. */
    readonly file: string;
    /** Digest of the file, then of its external data in their order. */
    readonly sha256: string;
    /** Name of the input that takes the image. */
    readonly input: string;
    readonly layout: 'NCHW' | 'NHWC';
    readonly dtype: 'float32' | 'float16' | 'uint8';
  };
  readonly contract: Contract;
  readonly cuts: Readonly<Record<string, DescribedCut>>;
  /** The cut that is taken where none is named, with its pooling: `last:cls`. */
  readonly primary?: string;
}

const text = z.string().min(1);

const descriptionSchema = z.strictObject({
  permafrost: z.literal(BACKBONE_FORMAT),
  name: text.exactOptional(),
  licence: text.exactOptional(),
  source: text.exactOptional(),
  graph: z.strictObject({
    file: text,
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    input: text,
    layout: z.enum(['NCHW', 'NHWC']),
    dtype: z.enum(['float32', 'float16', 'uint8']),
  }),
  contract: z.unknown(),
  cuts: z.record(text, z.strictObject({ tensor: text, axes, prefix: z.number().int().nonnegative().exactOptional() })),
  primary: text.exactOptional(),
});

/** The description that a parsed backbone.json holds. Throws CONTRACT_INVALID naming `source` and the field. */
export function backboneFromJson(source: string, json: unknown): BackboneDescription {
  const { contract, cuts, ...others } = without(checked(source, descriptionSchema, json), 'permafrost');
  for (const [name, { axes: meaning, prefix }] of Object.entries(cuts))
    if (prefix !== undefined && meaning !== 'tokens')
      throw contractInvalid(source, `cuts.${name}.prefix`, prefix, `a ${meaning} has no tokens`, 'Leave it out.');
  const named = others.primary?.replace(/:[^:]*$/, '');
  if (named !== undefined && !Object.hasOwn(cuts, named))
    throw contractInvalid(source, 'primary', others.primary, `it is none of the cuts ${Object.keys(cuts).join(', ')}`);
  return { ...others, contract: contractFromJson(`${source}, contract`, contract), cuts };
}

/** Reads a backbone.json. Throws CONTRACT_INVALID naming the file and the field. */
export async function readBackboneJson(path: string): Promise<BackboneDescription> {
  return backboneFromJson(path, await jsonOf(path));
}

/**
 * Whether the backbone.json at `path` describes another graph than the ONNX file with that digest (undefined: not
 * known). Throws CONTRACT_INVALID where it names this file, whose content has changed.
 */
export function isOfAnotherGraph(path: string, json: unknown, onnxPath: string, digest: string | undefined): boolean {
  const { graph } = Object(json) as { readonly graph?: { readonly file?: unknown; readonly sha256?: unknown } | null };
  if (graph === undefined || graph === null) return false;
  if (digest !== undefined && graph.sha256 === digest) return false;
  const isNamed = typeof graph.file === 'string' && resolve(dirname(path), graph.file) === resolve(onnxPath);
  if (digest === undefined || !isNamed) return !isNamed;
  throw contractInvalid(
    path,
    'graph.sha256',
    graph.sha256,
    `${onnxPath} has the digest ${digest}, so it is not the file that was described`,
    'Describe it anew: "permafrost backbone FILE --write --overwrite", with the --contract that it needs.',
  );
}

/** The text of a description: keys sorted, what is the default left out, so that one meaning is one text. */
export function backboneJson({ contract, cuts, ...others }: BackboneDescription): string {
  const described: Record<string, DescribedCut> = {};
  for (const [name, { prefix = 0, ...cut }] of Object.entries(cuts))
    described[name] = { ...cut, ...(prefix > 0 && { prefix }) };
  const fields = without(contract, 'name');
  const sorted = canonicalJson({ permafrost: BACKBONE_FORMAT, ...others, contract: fields, cuts: described });
  return `${JSON.stringify(JSON.parse(sorted), null, 2)}\n`;
}
