import { graphWriter } from '../../core/onnx/graph-writer.ts';
import { headNodes } from '../../classify/onnx/head-nodes.ts';
import { normalizerNodes } from '../../classify/onnx/normalizer-nodes.ts';
import { noveltyNodes } from '../../classify/onnx/novelty-nodes.ts';
import type { WireTensor } from '../../extract/backbones/onnx-file.ts';
import { composedModel } from '../../extract/onnx/compose.ts';
import { imageFront } from '../../extract/onnx/image-front/image-front.ts';
import { floatsOf } from '../../extract/onnx/int8/constants.ts';
import type { AddedPart } from '../../extract/onnx/pixel-front.ts';
import { PIXELS } from '../../extract/program.ts';
import { encodeFloat16 } from '../../store/format/float16.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import type { ExportedNetwork } from './exported-network.ts';

/** TensorProto.DataType of onnx.proto. */
const FLOAT32 = 1;

/** The one input: uint8 RGB pixels of upright pictures of one size, shape (batch, height, width, 3). */
export const IMAGE = 'image';

/** Names that the file needs itself, and what its own tensors begin with. */
const OWN = /^(?:(?:image|probabilities|class|features|novelty|unknown)$|head\/|image\d+\/)/;

/** Names of a network's tensors in the whole file: those of the first one stay but where they are the file's own. */
const renaming = (i: number, name: string): string =>
  name === '' || (i === 0 && !OWN.test(name)) ? name : `network${i + 1}/${name}`;

/** The operators from all networks' features to the answers, under the names of the outputs. */
async function answerPart(
  { head, normalizer, reject }: OpenedHead,
  features: readonly string[],
): Promise<{ readonly part: AddedPart; readonly hasNovelty: boolean }> {
  const w = graphWriter('head/');
  const raw = w.named('features', features.length === 1 ? features[0]! : w.op('Concat', features, { axis: 1 }));
  const X = normalizerNodes(w, normalizer, raw);
  const answers = await headNodes(w, head, X);
  w.named('probabilities', answers.probabilities);
  w.named('class', w.op('ArgMax', [answers.probabilities], { axis: 1, keepdims: 0 }));
  if (reject !== undefined) {
    const { novelty, unknown } = noveltyNodes(w, reject, X, answers);
    w.named('novelty', novelty);
    w.named('unknown', unknown);
  }
  return { part: w.parts(), hasNovelty: reject !== undefined };
}

/** An ONNX file, and what it is. */
export interface ExportedModel {
  readonly bytes: Uint8Array;
  readonly outputs: readonly string[];
  readonly opset: number;
  /** Operator sets beside the standard's own. */
  readonly domains: readonly string[];
}

/**
 * The smallest constants stay in float32, up to this share of all values: first layers, depthwise kernels, biases. On
 * EfficientNet-Lite0 they make two thirds of what float16 would cost: docs/export.md has the measurement.
 */
const IN_FULL = 0.04;

/** The bits in float16 of a network's large float32 constants by their names, but of those too large for float16. */
function inHalf(constants: readonly WireTensor[]): ReadonlyMap<string, Uint16Array> {
  const floats = constants
    .map((tensor) => ({ name: tensor.name, values: tensor.type === FLOAT32 ? floatsOf(tensor) : undefined }))
    .flatMap(({ name, values }) => (values === undefined ? [] : [{ name, values }]))
    .sort((a, b) => a.values.length - b.values.length);
  const most = IN_FULL * floats.reduce((sum, { values }) => sum + values.length, 0);
  const halves = new Map<string, Uint16Array>();
  let full = 0;
  for (const { name, values } of floats) {
    full += values.length;
    if (full <= most) continue;
    const bits = new Uint16Array(values.length);
    if (encodeFloat16(values, bits) === 0) halves.set(name, bits);
  }
  return halves;
}

/** The whole file: pixels of any size to probabilities, with metadata. Throws OPTION_INVALID, BACKBONE_INVALID. */
export async function exportedModel(
  opened: OpenedHead,
  networks: readonly ExportedNetwork[],
  { metadata, fp16 }: { readonly metadata: Readonly<Record<string, string>>; readonly fp16: boolean },
): Promise<ExportedModel> {
  const { head } = opened;
  const fronts = networks.map(({ reference: { contract } }, i) =>
    imageFront(contract, IMAGE, renaming(i, PIXELS), `${IMAGE}${i + 1}/`),
  );
  const features: string[] = [];
  for (const [i, { parts }] of networks.entries())
    for (const { at, output } of parts) features[at] = renaming(i, output);
  const { part, hasNovelty } = await answerPart(opened, features);
  const outputs = [
    { name: 'probabilities', type: 'float32', shape: ['batch', head.classes.length] },
    { name: 'class', type: 'int64', shape: ['batch'] },
    { name: 'features', type: 'float32', shape: ['batch', head.features] },
    ...(hasNovelty
      ? ([
          { name: 'novelty', type: 'float32', shape: ['batch'] },
          { name: 'unknown', type: 'bool', shape: ['batch'] },
        ] as const)
      : []),
  ] as const;
  const { bytes, opsets } = composedModel({
    name: 'permafrost',
    parts: networks.map(({ model, rounded }, i) => ({
      bytes: model,
      rounded,
      rename: (name) => renaming(i, name),
      ...(fp16 && { inHalf }),
    })),
    inputs: [{ name: IMAGE, type: 'uint8', shape: ['batch', 'height', 'width', 3] }],
    front: {
      nodes: fronts.flatMap(({ nodes }) => nodes),
      initializers: fronts.flatMap(({ initializers }) => initializers),
    },
    behind: part,
    outputs,
    metadata,
  });
  const domains = [...opsets.keys()].filter((domain) => domain !== '');
  return { bytes, outputs: outputs.map(({ name }) => name), opset: opsets.get('')!, domains };
}
