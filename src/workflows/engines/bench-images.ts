import { stat } from 'node:fs/promises';
import { cacheFolder } from '../../core/machine/cache-folder.ts';
import type { Contract } from '../../core/contract.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { Failure } from '../../core/sample.ts';
import { archiveKind } from '../../extract/archives/archive-place.ts';
import { isListName } from '../../extract/dataset/dataset-manifest.ts';
import { isImageName } from '../../extract/dataset/image-tree.ts';
import { squareOf } from '../../extract/image/open-image.ts';
import { isS3Address } from '../../extract/source/s3/address.ts';
import { isOfStorage } from '../../extract/source/image-source.ts';
import { withSource } from '../../extract/source/open.ts';
import { absoluteRoot, placeOf } from '../../extract/source/place.ts';
import { renderBundledDataset } from '../network/bundled-dataset.ts';
import { findDataset } from '../network/find-dataset.ts';
import type { Work } from '../work.ts';

/** Images in the contract's square, and which they are. */
export interface BenchImages {
  readonly source: string;
  readonly paths: readonly string[];
  readonly failed: readonly Failure[];
  /** uint8 NHWC RGB, (paths.length, size, size, 3). */
  readonly pixels: Uint8Array;
}

async function isDataset(path: string): Promise<boolean> {
  if (isListName(path) || archiveKind(path) !== undefined) return true;
  if (isS3Address(path)) return !isImageName(path);
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw new PermafrostError(
      'DATASET_NOT_FOUND',
      `${path} cannot be read: ${reasonOf(cause)}. Give a data set or image files.`,
      { cause },
    );
  }
}

/** Images to choose from, by paths that are relative to `root`; '' for files that were named one by one. */
interface Listed {
  readonly source: string;
  readonly root: string;
  readonly paths: string[];
}

async function listed(given: readonly string[], work: Work): Promise<Listed> {
  const [first] = given;
  if (first !== undefined && (given.length > 1 || !(await isDataset(first)))) {
    return { source: 'the images given', root: '', paths: given.map(absoluteRoot) };
  }
  const where = first ?? (await renderBundledDataset(cacheFolder('emoji'), work)).root;
  const { root, samples } = await findDataset(where);
  const source = first === undefined ? 'the emoji that come with permafrost' : where;
  return { source, root, paths: samples.map(({ path }) => path) };
}

/**
 * Decodes `count` seeded choices of the given files or data set, or of the bundled emoji. What cannot be decoded is
 * reported and replaced. Throws as findDataset, and IMAGE_UNDECODABLE where no image can be decoded.
 */
export async function benchImages(
  given: readonly string[],
  { images: count, contract, seed }: { images: number; contract: Contract; seed: number },
  work: Work,
): Promise<BenchImages> {
  const { source, root, paths } = await listed(given, work);
  const drawn = random(seed).shuffle(paths);
  const decoded: { path: string; pixels: Uint8Array }[] = [];
  const failed: Failure[] = [];
  await withSource({ root }, async (images) => {
    for (const image of drawn) {
      if (decoded.length === count) break;
      const path = placeOf(root, image);
      try {
        decoded.push({ path, pixels: await squareOf(await images.read(image), contract) });
      } catch (error) {
        if (isOfStorage(error)) throw error;
        const code = error instanceof PermafrostError ? error.code : 'IMAGE_UNREADABLE';
        failed.push({ path, code, reason: reasonOf(error) });
      }
    }
  });
  if (decoded.length === 0) {
    throw new PermafrostError(
      'IMAGE_UNDECODABLE',
      `None of ${failed.length} images can be decoded; the first: ${failed[0]?.path}: ${failed[0]?.reason}`,
    );
  }
  const pixels = Buffer.concat(decoded.map((image) => image.pixels));
  return { source, paths: decoded.map(({ path }) => path), failed, pixels: new Uint8Array(pixels) };
}
