import { join } from 'node:path';
import type { Contract } from '../../core/contract.ts';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { row, type Matrix } from '../../core/matrix.ts';
import { readSafetensors, writeSafetensors, type SafeTensor } from '../../core/safetensors.ts';
import type { Sample } from '../../core/sample.ts';
import { squareOf } from '../../extract/image/open-image.ts';
import type { Output } from '../../extract/program.ts';
import { isOfStorage, readIfReadable, type ImageSource } from '../../extract/source/image-source.ts';
import { placeOf } from '../../extract/source/place.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import type { FileEntry } from '../../store/format/manifest.ts';
import { readVerified } from '../../store/read/file.ts';
import type { Extractor } from '../network/extractor.ts';
import type { PlanFolder } from './plan-file.ts';

const PROBE_NAME = 'probe.safetensors';

/** Images that one is chosen of: the smallest file that can be decoded. */
const CANDIDATES = 64;

/**
 * What the features of the probe must agree to, by precision. Processors add in other orders: in fp32 that is 1e-6 of a
 * feature and 1e-12 of the cosine, so 0.99999 sees any fault. In bf16 each layer's activations are rounded to 8 bits, and
 * a last digit that differs rounds some of them the other way; a machine that runs fp32 in its place has 0.9998. In int8
 * it moves whole steps of 1/255; products that overflow, as on processors without the instructions for them, cost more.
 */
const LEAST_COSINES: Readonly<Record<string, number>> = { fp32: 0.99999, bf16: 0.9999, int8: 0.999 };

export const leastCosine = (precision: string): number => LEAST_COSINES[precision]!;

/** Features of the probe by output, `block5_pool/avg`, each with a number a channel. */
type ProbeFeatures = ReadonlyMap<string, Float32Array>;

/** Maps are averaged over the picture: those of block1_pool have 802,816 numbers, and a fault shows in their means. */
function perChannel(features: Float32Array, channels: number): Float32Array {
  const sums = new Float64Array(channels);
  features.forEach((value, i) => (sums[i % channels]! += value));
  return Float32Array.from(sums, (sum) => (sum * channels) / features.length);
}

/** What the network makes of an image file. Throws IMAGE_UNDECODABLE, ENGINE_FAILED. */
async function featuresOf(bytes: Uint8Array, extractor: Extractor): Promise<ProbeFeatures> {
  const pixels = await squareOf(bytes, extractor.contract);
  const outputs = await extractor.executable.run(pixels, 1);
  const channelsOf = (output: Output): number =>
    extractor.sets.find(({ settings }) => settings.cut === output.cut)!.widths.avg;
  return new Map(
    extractor.outputs.map((output, i) => [
      `${output.cut}/${output.pooling}`,
      perChannel(row(outputs[i] as Matrix, 0), channelsOf(output)),
    ]),
  );
}

/** Images spread over a listing, the smallest file first; those that are not there are left out. */
async function candidates(source: ImageSource, samples: readonly Sample[]): Promise<string[]> {
  const count = Math.min(samples.length, CANDIDATES);
  const found: { path: string; size: bigint }[] = [];
  for (let i = 0; i < count; i++) {
    const { path } = samples[Math.floor((i * samples.length) / count)]!;
    const facts = await source.stamp(path).catch((error: unknown) => {
      if (isOfStorage(error)) throw error;
    });
    if (facts !== undefined) found.push({ path, size: facts.size });
  }
  return found.sort((a, b) => Number(a.size - b.size)).map(({ path }) => path);
}

/** The smallest readable image of some, spread over a data set. Throws IMAGE_UNDECODABLE where there is none. */
export async function chooseProbe(
  source: ImageSource,
  samples: readonly Sample[],
  contract: Contract,
): Promise<{ readonly path: string; readonly bytes: Uint8Array }> {
  const paths = await candidates(source, samples);
  for (const path of paths) {
    const bytes = await readIfReadable(source, path);
    const isReadable =
      bytes &&
      (await squareOf(bytes, contract).then(
        () => true,
        () => false,
      ));
    if (isReadable === true) return { path, bytes };
  }
  throw new PermafrostError(
    'IMAGE_UNDECODABLE',
    `None of ${Math.min(samples.length, CANDIDATES)} images of ${source.root} that were tried can be decoded, so there is none by which machines could be compared. Extract some of them by themselves to see why: permafrost extract.`,
  );
}

/** Writes the probe into a plan's folder: the bytes of the file, and what this machine makes of them. */
export async function writeProbe(folder: string, bytes: Uint8Array, extractor: Extractor): Promise<FileEntry> {
  const features = await featuresOf(bytes, extractor);
  const tensors = new Map<string, SafeTensor>([['image', { dtype: 'U8', shape: [bytes.length], data: bytes }]]);
  for (const [name, data] of features) tensors.set(name, { dtype: 'F32', shape: [data.length], data });
  const facts = await writeFileAtomic(join(folder, PROBE_NAME), [writeSafetensors(tensors)]);
  return { name: PROBE_NAME, ...facts };
}

/**
 * How far two feature vectors agree, 2ab / (a² + b²): their cosine where they are of one length, and less where not, so
 * that a scale is seen too. Not a number where one of them has such.
 */
function agreementOf(a: Float32Array, b: Float32Array): number {
  let [products, squares] = [0, 0];
  a.forEach((value, i) => {
    products += value * b[i]!;
    squares += value * value + b[i]! * b[i]!;
  });
  return squares === 0 ? 1 : (2 * products) / squares;
}

/**
 * Throws FINGERPRINT_MISMATCH where this machine makes other features of a plan's probe than the one that planned, and
 * STORE_CORRUPT. Settings alone do not tell: a runtime may compute wrong numbers without an error.
 */
export async function requireProbe({ path, plan }: PlanFolder, extractor: Extractor): Promise<void> {
  const { file, leastCosine: least } = plan.probe;
  const name = join(path, file.name);
  const { tensors } = readSafetensors(await readVerified(path, file), { name, code: 'STORE_CORRUPT' });
  const found = await featuresOf(tensors.get('image')!.data as Uint8Array, extractor).catch((cause: unknown) => {
    if (!(cause instanceof PermafrostError) || cause.code !== 'IMAGE_UNDECODABLE') throw cause;
    throw new PermafrostError(
      'FINGERPRINT_MISMATCH',
      `The probe of the plan cannot be decoded here: ${cause.message} Install permafrost with its packages anew on this machine.`,
      { cause },
    );
  });
  for (const [output, features] of found) {
    const agreed = agreementOf(features, tensors.get(output)!.data as Float32Array);
    if (agreed >= least) continue;
    const { name: engine, version, device, precision } = extractor.engine;
    throw new PermafrostError(
      'FINGERPRINT_MISMATCH',
      `This machine makes other features than the one that planned: of the probe image, ${output} has a cosine of ${agreed.toFixed(6)} to what was planned, expected ${least} or more (${engine} ${version} on ${device} in ${precision}). No unit was begun. Look for limits that a runtime takes from its environment (ONEDNN_MAX_CPU_ISA), or leave this machine out.`,
    );
  }
}

/**
 * Throws DATASET_NOT_FOUND where the data set of a plan does not lie at the root of `source`: every image would count as
 * failed.
 */
export async function requireImages({ plan }: PlanFolder, source: ImageSource): Promise<void> {
  const { root } = source;
  const { image, sha256 } = plan.probe;
  const bytes = await source.read(image).catch((cause: unknown) => {
    if (isOfStorage(cause)) throw cause;
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `${image} of the planned data set is not at ${root}. Give the folder where its images lie on this machine with --root.`,
      { cause },
    );
  });
  if (sha256Hex(bytes) === sha256) return;
  throw new PermafrostError(
    'DATASET_NOT_FOUND',
    `${placeOf(root, image)} is another file than the one that was planned. Give the folder of that data set with --root, or plan again.`,
  );
}
