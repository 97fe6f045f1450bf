import { stacked, type Matrix } from '../../../core/matrix.ts';
import { PermafrostError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/digest.ts';
import type { Contract } from '../../../core/contract.ts';
import { isLayerBackbone } from '../../../extract/backbones/backbone.ts';
import { createEngine } from '../../../extract/engines/index.ts';
import { ownClassesOf } from '../../../extract/onnx/own-classes.ts';
import type { Engine } from '../../../extract/engines/engine.ts';
import type { NetworkProgram, Program } from '../../../extract/program.ts';
import type { ContractCheck } from '../../../results/backbone-results.ts';
import type { CutRequest } from '../../network/cuts.ts';
import { openDataset } from '../../network/dataset.ts';
import { progressMeter } from '../../progress-meter.ts';
import type { Work } from '../../work.ts';
import { checkImages, type CheckImages } from './check-images.ts';
import { arithmeticNeighbours, geometryNeighbours, type Neighbour } from './neighbours.ts';
import { scoresOf } from './scores.ts';
import { judged, type Scored } from './verdict.ts';

export interface CheckRequest {
  readonly network: NetworkProgram;
  /** The first is compared, in its first pooling. */
  readonly cuts: readonly CutRequest[];
  /** Where the data set is. */
  readonly dataset: string;
  readonly images: number;
  readonly seed: number;
}

/** Images of one run of the network. */
const BATCH = 8;

/** Outputs of a program for squares (count * size * size * 3), a matrix (count, width) each. */
async function outputsOf(
  engine: Engine,
  program: Program,
  squares: Uint8Array,
  { count, advance }: { readonly count: number; readonly advance: (images: number) => void },
): Promise<readonly Matrix[]> {
  const executable = await engine.load(program);
  const length = squares.length / count;
  const atOnce = isLayerBackbone(program.backbone) ? BATCH : (program.backbone.input.batch ?? BATCH);
  const batches: (readonly Matrix[])[] = [];
  try {
    for (let first = 0; first < count; first += atOnce) {
      const some = Math.min(atOnce, count - first);
      batches.push(await executable.run(squares.subarray(first * length, (first + some) * length), some));
      advance(some);
    }
  } finally {
    await executable.dispose();
  }
  return program.outputs.map((_, i) => stacked(batches.map((outputs) => outputs[i]!)));
}

/** Why how sure a network is does not count. */
const NOT_KNOWN = 'How surely the network names its own classes does not count: these images are not of them.';

/** What of a contract decides the pixels. */
const geometryOf = ({ size, geometry, resize, crop, pad, kernel, antialias }: Contract): string =>
  canonicalJson({ size, geometry, resize, crop, pad, kernel, antialias });

/**
 * Compares the contract of a network with its neighbours: the same images through the network under each, and how well
 * features tell classes. Each image is decoded once for each geometry, and the network runs once for each contract.
 */
export async function checkContract(request: CheckRequest, work: Work): Promise<ContractCheck> {
  const { network, cuts, images: count, seed } = request;
  const { contract: stated, backbone } = network;
  const [{ cut, poolings }] = cuts as [CutRequest];
  const part = { cut, pooling: poolings.includes('avg') ? ('avg' as const) : poolings[0]! };
  const dataset = await openDataset(request.dataset);
  const geometries = geometryNeighbours(stated, false);
  const decoded = await checkImages(dataset, [stated, ...geometries.map(({ contract }) => contract)], {
    count,
    seed,
    work,
  });
  const { tried, notTried } = whatToTry(request, decoded, geometries);
  const squaresOf = new Map([stated, ...geometries.map((one) => one.contract)].map((c, i) => [geometryOf(c), i]));
  const own = isLayerBackbone(backbone) ? undefined : ownClassesOf(backbone);
  const outputs = [part, ...(own === undefined ? [] : [{ cut: own, pooling: 'avg' as const }])];
  const { labels } = decoded;
  const first: Neighbour = { what: 'stated', contract: stated, kind: 'arithmetic' };
  const meter = progressMeter('running', labels.length * (1 + tried.length), work.listener);
  const engine = await createEngine('onnxruntime');
  const scored: Scored[] = [];
  for (const one of [first, ...tried]) {
    if (work.signal?.aborted) throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing was written.');
    const squares = decoded.squares[squaresOf.get(geometryOf(one.contract))!]!;
    const [features, logits] = await outputsOf(engine, { ...network, contract: one.contract, outputs }, squares, {
      count: labels.length,
      advance: (images) => meter.advance(images, images),
    });
    scored.push({ ...one, ...(await scoresOf(features!, logits, labels)) });
  }
  const { areKnown, ...verdict } = judged(backbone.name, scored[0]!, scored.slice(1));
  return {
    dataset: request.dataset,
    images: labels.length,
    classes: new Set(labels).size,
    part,
    ...verdict,
    notTried: own === undefined || areKnown ? notTried : [...notTried, NOT_KNOWN],
  };
}

function whatToTry(
  { network: { backbone, contract } }: CheckRequest,
  { notSquare }: CheckImages,
  geometries: readonly Neighbour[],
): { readonly tried: readonly Neighbour[]; readonly notTried: readonly string[] } {
  const dtype = isLayerBackbone(backbone) ? 'float32' : backbone.input.dtype;
  const arithmetic = arithmeticNeighbours(contract, dtype);
  const notTried = [
    ...(dtype === 'uint8'
      ? ['Other means and deviations were not tried: the network takes bytes and has them inside.']
      : []),
    ...(notSquare === 0 ? ['Cropped or squashed was not tried: all of these images are square.'] : []),
  ];
  const kept = notSquare > 0 ? geometries : geometryNeighbours(contract, true);
  return { tried: [...arithmetic, ...kept], notTried };
}
