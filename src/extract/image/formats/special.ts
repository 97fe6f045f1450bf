export type Colour = readonly [number, number, number];

/** The first frame of a GIF: where its parts lie in the file. */
export interface GifFrame {
  /** Bytes up to its end. */
  readonly end: number;
  /** True where more than the end of the file follows. */
  readonly hasMore: boolean;
  /** Places of the flags of graphic control extensions before it. */
  readonly controls: readonly number[];
  /** True where the frame has a transparent colour. */
  readonly isVeiled: boolean;
  /** Where it lies in the picture, in pixels, and whether it fills it. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly fills: boolean;
  /** The colour that Pillow gives what the frame leaves free, RGB. */
  readonly around: Colour;
}

/** How light, blue and red difference (Y, Cb, Cr) mean colours: TIFF 6.0, section 21. */
export interface YCbCr {
  /** Luma of red, green and blue. */
  readonly luma: readonly number[];
  /** Codes of black and white for Y, Cb and Cr in turn. */
  readonly blackWhite: readonly number[];
}

/** The samples of a file where the image library takes them for other colours than Pillow, or hides some. */
export type SampleKind =
  /** `hasProfile`: an embedded ICC profile says which colours the inks are. */
  | { readonly kind: 'cmyk'; readonly hasProfile: boolean; readonly depth: 'uchar' | 'ushort' }
  | { readonly kind: 'grey16' }
  /** `isCompressed`: Pillow leaves the file to libtiff, which asks for its `meaning`. */
  | { readonly kind: 'ycbcr'; readonly meaning: YCbCr; readonly isCompressed: boolean }
  | { readonly kind: 'limited-grey' }
  | { readonly kind: 'gif'; readonly frame: GifFrame };

/** How a file is decoded where the image library's own way would not give what Pillow or a viewer shows. */
export interface Special {
  /** Pillow turns the picture when it loads it: upright under every contract (TIFF). */
  readonly loadsUpright?: boolean;
  /** The orientation, where it stands in a place that the image library does not look at. */
  readonly orientation?: number;
  /** The library fills what is damaged with black unless it is told to stop at errors (TIFF). */
  readonly stopAtErrors?: boolean;
  readonly samples?: SampleKind;
}
