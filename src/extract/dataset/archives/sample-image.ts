import { few, PermafrostError } from '../../../core/errors.ts';
import { byCodeUnits } from '../image-tree.ts';
import { keyOf } from './side-files.ts';

/** The order in which open_clip takes the image of a sample; other extensions come behind, by name. */
const PREFERRED = ['jpg', 'png', 'jpeg', 'webp'];
/** First parts of extensions as `image.png`, that say that this is the image and not a mask or a depth map. */
const IMAGE_PARTS = ['image', 'img', 'input'];

const rank = (extension: string): number => {
  const at = PREFERRED.indexOf(extension);
  return at < 0 ? PREFERRED.length : at;
};
const extensionOf = (path: string): string => keyOf(path)!.extension;
const preferred = (paths: readonly string[]): string =>
  [...paths].sort((a, b) => rank(extensionOf(a)) - rank(extensionOf(b)) || byCodeUnits(a, b))[0]!;

/**
 * The image of a sample that has several: of `1.jpg` and `1.seg.png` the one of a single extension, of `1.jpg` and
 * `1.png` by the order jpg, png, jpeg, webp, of `1.image.png` and `1.mask.png` the one that is called image, img or
 * input. Throws DATASET_LAYOUT where none of these tells.
 */
export function imageOfSample(shard: string, paths: readonly string[]): string {
  if (paths.length === 1) return paths[0]!;
  const plain = paths.filter((path) => !extensionOf(path).includes('.'));
  if (plain.length > 0) return preferred(plain);
  const named = paths.filter((path) => IMAGE_PARTS.includes(extensionOf(path).split('.')[0]!));
  if (named.length === 1) return named[0]!;
  throw new PermafrostError(
    'DATASET_LAYOUT',
    `${shard}: the sample ${keyOf(paths[0]!)!.key} has ${paths.length} images (${few(paths)}), and nothing says which is to be classified. Call it image.png (or another extension behind "image."), or pack that one alone.`,
  );
}
