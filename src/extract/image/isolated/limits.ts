/** Larger pictures (33 million pixels: 100 MB decoded) are decoded one by one, so that they do not fill the memory. */
export const LARGE_PIXELS = 2 ** 25;

/** Taller pictures are for a process of their own: each line costs a call, however short it is (0.6 µs). */
export const TALL_LINES = 2 ** 16;

/** Milliseconds that one image may take to decode. */
export const IMAGE_TIMEOUT_MS = 20_000;

/** Most memory of a process that decodes one image, in bytes: MAX_PIXELS take 1.7 GB, as they are there twice. */
export const MAX_PROCESS_BYTES = 2.5 * 2 ** 30;
