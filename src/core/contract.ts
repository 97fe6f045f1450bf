/**
 * The preprocessing contract: all between a file's bytes and the numbers that enter the network. It is stored with the
 * features and with each head; features of two contracts never meet.
 */
export interface Contract {
  readonly name: string;
  /** Side of the square that enters the network, in pixels. */
  readonly size: number;
  /** `squash` ignores the aspect ratio; `cover-crop` scales the shorter side to `size` and takes the centre. */
  readonly geometry: 'squash' | 'cover-crop';
  /** `nearest` is Pillow's NEAREST to the byte; the others are antialiased (the kernel widens with the scale). */
  readonly kernel: 'nearest' | 'bilinear' | 'bicubic' | 'lanczos';
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
  /** The network gets (pixel - mean[channel]) * scale, channels in `channelOrder`, pixels 0..255. */
  readonly mean: readonly [number, number, number];
  readonly scale: number;
}
