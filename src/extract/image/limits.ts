/** Larger pictures (33 million pixels: 100 MB decoded) are decoded one by one, so that they do not fill the memory. */
export const LARGE_PIXELS = 2 ** 25;

/** Milliseconds that one image may take to decode. */
export const IMAGE_TIMEOUT_MS = 20_000;
