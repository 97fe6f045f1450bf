import type { Rgb } from './formats/samples.ts';

/** Where column and row 0 of a stored picture lie when it is upright: swapped axes, then mirrored ones (EXIF 2.32). */
const ORIENTATIONS: readonly { readonly swap: boolean; readonly flipX: boolean; readonly flipY: boolean }[] = [
  { swap: false, flipX: false, flipY: false },
  { swap: false, flipX: true, flipY: false },
  { swap: false, flipX: true, flipY: true },
  { swap: false, flipX: false, flipY: true },
  { swap: true, flipX: false, flipY: false },
  { swap: true, flipX: true, flipY: false },
  { swap: true, flipX: true, flipY: true },
  { swap: true, flipX: false, flipY: true },
];

/** The upright picture of one that is stored in an EXIF orientation, 1 to 8. */
export function turn(picture: Rgb, orientation: number): Rgb {
  const how = ORIENTATIONS[orientation - 1];
  if (how === undefined || orientation === 1) return picture;
  const { data, channels } = picture;
  const [width, height] = how.swap ? [picture.height, picture.width] : [picture.width, picture.height];
  const out = new Uint8Array(data.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const v = how.flipY ? height - 1 - y : y;
    for (let x = 0; x < width; x++) {
      const u = how.flipX ? width - 1 - x : x;
      const from = (how.swap ? u * picture.width + v : v * picture.width + u) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c]!;
    }
  }
  return { data: out, width, height, channels };
}
