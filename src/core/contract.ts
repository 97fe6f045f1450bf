/** A number for each of three channels. */
export type Rgb = readonly [number, number, number];

/**
 * The preprocessing contract: all between a file's bytes and the numbers that enter the network. It is stored with the
 * features and with each head; features of two contracts never meet. Fields that may be absent are left out where they
 * would have their default, so that one meaning has one id.
 */
export interface Contract {
  readonly name: string;
  /** Side of the square that enters the network, in pixels. */
  readonly size: number;
  /**
   * `squash` ignores the aspect ratio; `cover-crop` scales the shorter side to `resize` and takes the centre;
   * `contain-pad` scales the longer side to `resize` and lays the picture on the middle of `pad`.
   */
  readonly geometry: 'squash' | 'cover-crop' | 'contain-pad';
  /** Side in pixels that the picture is scaled to before the square is cut out of its middle; absent: `size`. */
  readonly resize?: number;
  /** Where a crop's offset is half a pixel: `floor` rounds it down (transformers); absent: to even (torchvision). */
  readonly crop?: 'floor';
  /** Red, green and blue, 0..255, around a picture under `contain-pad`; absent: black. */
  readonly pad?: Rgb;
  /** `nearest` is Pillow's NEAREST to the byte; the others are antialiased (the kernel widens with the scale). */
  readonly kernel: 'nearest' | 'bilinear' | 'bicubic' | 'lanczos';
  /** Whether the kernel widens as a picture shrinks; absent: it does. `false` is for bilinear and bicubic alone. */
  readonly antialias?: false;
  /**
   * Whose arithmetic the antialiased kernels have: `pillow`, to the byte; absent: libvips' where a picture shrinks,
   * which rounds weights more coarsely (0.2 levels in the mean). Other networks than lists of layers have the former.
   */
  readonly rounding?: 'pillow';
  /**
   * `exif` turns the image as its orientation says; `ignore` takes the pixels as they lie in the file, except of TIFF,
   * which Pillow turns whatever is asked.
   */
  readonly orientation: 'exif' | 'ignore';
  /** ICC colour profiles are ignored, as in the training of the network; those of inks only where alpha is `drop`. */
  readonly iccProfile: 'ignore';
  /**
   * Under transparent pixels: `white` paper, and of everything else what a viewer shows; or `drop`: what Pillow's
   * convert("RGB") gives, the colours hidden in the file, and grey of 16 bits cut off at 255.
   */
  readonly alpha: 'white' | 'drop';
  readonly channelOrder: 'RGB' | 'BGR';
  /** The network gets (pixel - mean[channel]) * scale[channel], channels in `channelOrder`, pixels 0..255. */
  readonly mean: Rgb;
  /** One number where it is that of all three channels. */
  readonly scale: number | Rgb;
}

/** Mean and scale of red, green and blue: of pixels as they lie, in whatever order the network reads them. */
export function rgbArithmetic({ channelOrder, mean, scale }: Pick<Contract, 'channelOrder' | 'mean' | 'scale'>): {
  readonly mean: Rgb;
  readonly scale: Rgb;
} {
  const scales = typeof scale === 'number' ? ([scale, scale, scale] as const) : scale;
  return channelOrder === 'RGB' ? { mean, scale: scales } : { mean: reversed(mean), scale: reversed(scales) };
}

const reversed = ([a, b, c]: Rgb): Rgb => [c, b, a];
