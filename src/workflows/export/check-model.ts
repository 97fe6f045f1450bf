import { PermafrostError } from '../../core/errors.ts';
import { matrix } from '../../core/matrix.ts';
import type { Failure } from '../../core/sample.ts';
import { topClass } from '../../classify/evaluate/metrics.ts';
import { squareOf } from '../../extract/image/open-image.ts';
import { uprightPixels } from '../../extract/onnx/image-front/upright.ts';
import { withSource } from '../../extract/source/open.ts';
import type { ExportAgreement, ExportBounds, ExportCheck } from '../../results/export-result.ts';
import { progressMeter } from '../progress-meter.ts';
import { placesOfParts } from '../search/side-by-side.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { noveltyOf, probabilities } from '../train/trained-head.ts';
import type { Work } from '../work.ts';
import type { CheckImages } from './check-images.ts';
import type { ExportedNetwork } from './exported-network.ts';
import type { FileAnswer, FileRuntime } from './file-runtimes.ts';

/** What permafrost answers for an image, beside its features' network and head. */
async function answerOf(
  bytes: Uint8Array,
  opened: OpenedHead,
  networks: readonly ExportedNetwork[],
  signal: AbortSignal | undefined,
): Promise<FileAnswer> {
  const { width, places } = placesOfParts(
    networks.map(({ reference, parts }) => ({ extractor: reference, network: { parts } })),
  );
  const X = matrix(1, width);
  for (const [n, { reference }] of networks.entries()) {
    const pixels = await squareOf(bytes, reference.contract, { signal });
    const outputs = await reference.executable.run(pixels, 1);
    for (const [o, { start }] of places[n]!.entries()) X.data.set(outputs[o]!.data, start);
  }
  const P = await probabilities(opened, X);
  const novelty = await noveltyOf(opened, X);
  return { probabilities: P.data, unknown: novelty === null ? null : novelty.unknown[0]! };
}

const guessOf = (P: Float32Array): number => topClass({ rows: 1, cols: P.length, data: P })[0]!;

/** Counts how one runtime's answers differ. */
function comparison(runtime: string, hasUnknown: boolean) {
  const found = { images: 0, sameClass: 0, largestDifference: 0, worst: '', differingUnknown: 0 };
  return {
    add(path: string, expected: FileAnswer, answer: FileAnswer): void {
      let difference = 0;
      expected.probabilities.forEach((p, c) => {
        const apart = Math.abs(p - answer.probabilities[c]!);
        // NaN is as far as can be.
        difference = apart <= difference ? difference : Number.isNaN(apart) ? 1 : apart;
      });
      found.images++;
      if (guessOf(expected.probabilities) === guessOf(answer.probabilities)) found.sameClass++;
      if (expected.unknown !== answer.unknown) found.differingUnknown++;
      if (difference < found.largestDifference) return;
      found.largestDifference = difference;
      found.worst = path;
    },
    result: (): ExportAgreement => ({
      ...found,
      runtime,
      differingUnknown: hasUnknown ? found.differingUnknown : null,
    }),
  };
}

/**
 * Runs a file on images in each runtime, from the same bytes as permafrost, and compares the answers. Throws
 * INTERRUPTED; OPTION_INVALID where no image can be read.
 */
export async function checkModel(
  runtimes: readonly FileRuntime[],
  opened: OpenedHead,
  networks: readonly ExportedNetwork[],
  { on, root, split, samples }: CheckImages,
  { signal, listener }: Work,
): Promise<Omit<ExportCheck, keyof ExportBounds>> {
  const meter = progressMeter('checking the file', samples.length, listener);
  const compared = runtimes.map(({ name }) => comparison(name, opened.reject !== undefined));
  const failed: Failure[] = [];
  const { contract } = networks[0]!.reference;
  await withSource({ root }, async (source) => {
    for (const { path } of samples) {
      if (signal?.aborted)
        throw new PermafrostError('INTERRUPTED', 'Interrupted while the file was checked. Nothing was written.');
      try {
        const bytes = await source.read(path, signal);
        const expected = await answerOf(bytes, opened, networks, signal);
        const image = await uprightPixels(bytes, contract);
        for (const [i, runtime] of runtimes.entries()) compared[i]!.add(path, expected, await runtime.run(image));
        meter.advance(1, 1);
      } catch (error) {
        if (!(error instanceof PermafrostError) || !error.code.startsWith('IMAGE_')) throw error;
        failed.push({ path, code: error.code, reason: error.message });
        meter.advance(1, 0);
      }
    }
  });
  if (failed.length === samples.length)
    throw new PermafrostError(
      'OPTION_INVALID',
      `The file cannot be checked: none of the ${samples.length} images of ${on} can be read, the first: ${failed[0]!.reason} Give images with --check DATASET, or write it unchecked with --unchecked.`,
    );
  return { on, split, runtimes: compared.map(({ result }) => result()), failed };
}
