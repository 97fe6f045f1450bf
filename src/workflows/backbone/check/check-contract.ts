import { matrix, type Matrix } from '../../../core/matrix.ts';
import { PermafrostError } from '../../../core/errors.ts';
import { canonicalJson } from '../../../core/digest.ts';
import type { Contract } from '../../../core/contract.ts';
import { isLayerBackbone } from '../../../extract/backbones/backbone.ts';
import { createEngine } from '../../../extract/engines/index.ts';
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

/** Features of squares (count * size * size * 3) under a program's contract, shape (count, width). */
async function featuresOf(program: Program, squares: Uint8Array, count: number, advance: (n: number) => void) {
  const engine = await createEngine('onnxruntime');
  const executable = await engine.load(program);
  const length = squares.length / count;
  const imagesAtOnce = isLayerBackbone(program.backbone) ? BATCH : (program.backbone.input.batch ?? BATCH);
  let features: Matrix | undefined;
  try {
    for (let first = 0; first < count; first += imagesAtOnce) {
      const some = Math.min(imagesAtOnce, count - first);
      const [rows] = await executable.run(squares.subarray(first * length, (first + some) * length), some);
      features ??= matrix(count, rows!.cols);
      features.data.set(rows!.data, first * rows!.cols);
      advance(some);
    }
  } finally {
    await executable.dispose();
  }
  return features!;
}

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
  const all: readonly Neighbour[] = [{ what: 'stated', contract: stated }, ...tried];
  const total = decoded.labels.length * all.length;
  const meter = progressMeter('running', total, work.listener);
  const scored: Scored[] = [];
  for (const { what, contract } of all) {
    if (work.signal?.aborted) throw new PermafrostError('INTERRUPTED', 'Interrupted; nothing was written.');
    const squares = decoded.squares[squaresOf.get(geometryOf(contract))!]!;
    const program: Program = { ...network, contract, outputs: [part] };
    const features = await featuresOf(program, squares, decoded.labels.length, (n) => meter.advance(n, n));
    scored.push({ what, contract, ...(await scoresOf(features, decoded.labels)) });
  }
  return {
    dataset: request.dataset,
    images: decoded.labels.length,
    classes: new Set(decoded.labels).size,
    part,
    ...judged(backbone.name, scored as [Scored, ...Scored[]]),
    notTried,
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
    ...(dtype === 'uint8' ? ['Other means and deviations: the network takes bytes and has them inside.'] : []),
    ...(notSquare === 0 ? ['Cropped or squashed: all of these images are square.'] : []),
  ];
  const kept = notSquare > 0 ? geometries : geometryNeighbours(contract, true);
  return { tried: [...arithmetic, ...kept], notTried };
}
