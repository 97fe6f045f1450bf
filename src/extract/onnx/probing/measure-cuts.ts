import type { Contract } from '../../../core/contract.ts';
import { PermafrostError } from '../../../core/errors.ts';
import type { GraphBackbone, GraphCut } from '../../backbones/backbone.ts';
import type { OnnxFile } from '../../backbones/onnx-file.ts';
import { axesOf } from './axes.ts';
import { imagesAlone, isOfOneImage, type ImagesAlone } from './batch-of.ts';
import { cutGraph, depths, type CutGraph } from '../cut-graph.ts';
import { defaultCutOf } from './default-cut.ts';
import { imageInput, type ImageInput } from '../image-input.ts';
import { layoutByGraph, type Layout } from '../layout.ts';
import { openProbe, type Measured } from './probe-run.ts';
import { computedFrom } from '../reach.ts';
import { failed, refused, requireKnownOperators, requireSize } from './runnable.ts';
import { sensibleCuts } from '../sensible-cuts.ts';

/** What a probe is asked. */
export interface ProbeRequest {
  /** The input of images; default: the only one there is. */
  readonly input?: string;
  /** Its arithmetic stands in front of the graph; its size is that of the images. */
  readonly contract: Contract;
  /** Where the input's channels are; default: as its shape or its readers tell. */
  readonly layout?: Layout | undefined;
  /** Tensors that are measured beside the sensible ones. */
  readonly cuts?: readonly string[];
  /** Tokens that are no patches. Default: 1 where the others fill a square, 0 where all do. */
  readonly prefix?: number | undefined;
  /** The same by tensor, where it differs. */
  readonly prefixes?: ReadonlyMap<string, number>;
}

/** What a probe found: what a backbone says of its file, and remarks for the user. */
export type Probed = Pick<GraphBackbone, 'input' | 'cuts' | 'defaultCut'> & { readonly notes: readonly string[] };

const invalid = (message: string): PermafrostError => new PermafrostError('BACKBONE_INVALID', message);

/** The sensible cuts and those that were asked for, each once, and what they need of the file. */
function wantedCuts(
  file: OnnxFile,
  { name }: ImageInput,
  asked: readonly string[],
): { readonly tensors: readonly string[]; readonly part: CutGraph } {
  const sensible = sensibleCuts(file, name).map(({ tensor }) => tensor);
  const tensors = [...new Set([...asked, ...sensible])];
  const inputs = tensors.length === 0 ? file.inputs.map((input) => input.name) : [];
  const part = cutGraph(file, tensors);
  const others = [...inputs, ...part.inputs].filter((input) => input !== name);
  if (others.length > 0 || tensors.length === 0) {
    const what = asked.length > 0 ? `its tensors ${asked.join(', ')} need` : 'it needs';
    throw invalid(
      `${file.path} cannot be run on images alone: beside the input "${name}" ${what} ${others.join(', ') || 'nothing, and its outputs do not depend on the image'}. ` +
        `Take the image encoder of the network, exported by itself, or a tensor that needs the image alone.`,
    );
  }
  requireKnownOperators(file, part);
  return { tensors, part };
}

/** Why a tensor cannot be a cut; undefined where its axes are told. */
function cutOrReason(
  file: OnnxFile,
  tensor: string,
  { grey, noise }: ImagesAlone,
  { input, prefix }: { readonly input: ImageInput; readonly prefix: number | undefined },
): Omit<GraphCut, 'depth'> | string {
  const value = grey.get(tensor)!;
  const shape = `(${value.dims.join(', ')})`;
  if (!isOfOneImage(value)) {
    return value.values.length === 0 && value.type !== 'float32' && value.type !== 'float16'
      ? `its values are ${value.type}, not float32 or float16`
      : `one image gives it the shape ${shape}, expected 1 in the first place`;
  }
  const isFinite = ({ values }: Measured): boolean => values.every(Number.isFinite);
  if (!isFinite(value) || !isFinite(noise.get(tensor)!)) {
    return `it has values that are not finite on ${isFinite(value) ? 'an image of noise' : 'a grey image'}: a wrong contract, or a network in half precision that overflows`;
  }
  const sizes = value.dims.slice(1);
  if (sizes.length === 2 && prefix !== undefined && prefix >= sizes[0]!) {
    return `it has ${sizes[0]} tokens, of which ${prefix} are said to be no patches`;
  }
  return (
    axesOf(sizes, () => layoutByGraph(file, tensor, input) ?? input.layout, prefix) ??
    `its shape ${shape} is no vector (1, channels), no list of tokens (1, tokens, channels), and no map whose height and width are equal`
  );
}

/** Batches that are baked in and still given: of more, an image would take minutes. */
const MOST_REPEATS = 64;

/**
 * Measures one image alone; where the file declares a batch of several, and is not told by one of them, that image as
 * often as it declares.
 */
async function aloneOrRepeated(
  declared: number,
  measured: (repeats: number) => Promise<ImagesAlone>,
): Promise<{ readonly alone: ImagesAlone; readonly repeats: number }> {
  if (declared === 1 || declared > MOST_REPEATS) return { alone: await measured(1), repeats: 1 };
  const alone = await measured(1).catch((error: unknown) => {
    if (!(error instanceof PermafrostError)) throw error;
  });
  const isTold = alone !== undefined && [...alone.grey.values()].every(({ dims }) => dims[0] !== declared);
  return isTold ? { alone, repeats: 1 } : { alone: await measured(declared), repeats: declared };
}

/**
 * Runs a graph on a grey image and one of noise and says what its cuts are: the sensible ones, of which those that are
 * no features are left out, and those that were asked for. In this process: a hostile file may end it (probeGraph is
 * safe). Throws BACKBONE_INVALID, OPTION_INVALID, CONTRACT_INVALID.
 */
export async function measureCuts(file: OnnxFile, request: ProbeRequest): Promise<Probed> {
  const { contract, cuts: asked = [], prefix, prefixes } = request;
  const { size } = contract;
  const input = imageInput(file, request.input, request.layout);
  requireSize(file, input, size);
  const { tensors, part } = wantedCuts(file, input, asked);
  async function measured(repeats: number): Promise<ImagesAlone> {
    const probe = await openProbe(file, part, tensors, { input, contract, repeats }).catch((error: unknown) => {
      throw error instanceof PermafrostError && error.code === 'ENGINE_FAILED' ? refused(file, error) : error;
    });
    try {
      return await imagesAlone(probe, size, (error) => failed(file, input, size, error), repeats);
    } finally {
      await probe.release();
    }
  }
  const { alone, repeats } = await aloneOrRepeated(input.declaredBatch ?? 1, measured);
  const depth = depths(file);
  const cuts = new Map<string, GraphCut>();
  const reasons = new Map<string, string>();
  for (const tensor of tensors) {
    const found = cutOrReason(file, tensor, alone, { input, prefix: prefixes?.get(tensor) ?? prefix });
    if (typeof found === 'string') reasons.set(tensor, found);
    else cuts.set(tensor, { ...found, depth: depth.get(tensor)! });
  }
  const wrong = asked.find((tensor) => reasons.has(tensor));
  if (wrong !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      `${file.path} cannot be cut at "${wrong}": ${reasons.get(wrong)}. Take another tensor.`,
    );
  }
  const leftOut = file.outputs.flatMap(({ name }) =>
    reasons.has(name) ? [`The output "${name}" is no cut: ${reasons.get(name)}.`] : [],
  );
  const chosen = defaultCutOf(file, cuts, computedFrom(file, input.name)) ?? (asked[0] && { cut: asked[0] });
  if (!chosen)
    throw invalid(`${file.path} has no output that can be features. ${leftOut.join(' ')} Name a tensor to cut at.`);
  return {
    input: {
      name: input.name,
      layout: input.layout,
      dtype: input.dtype,
      batch: alone.batch,
      ...(repeats > 1 && { repeats }),
    },
    cuts: new Map([...cuts].sort(([, a], [, b]) => a.depth - b.depth)),
    defaultCut: chosen.cut,
    notes: [
      ...(input.note === undefined ? [] : [input.note]),
      ...(alone.note === undefined ? [] : [alone.note]),
      ...leftOut,
      ...(chosen.why === undefined ? [] : [`The default cut is "${chosen.cut}", ${chosen.why}.`]),
    ],
  };
}
