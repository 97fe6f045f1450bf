/** Side of a sketch's grey picture, and of its two coarser ones of colour, in pixels. */
export const SKETCH_SIDE = 32;
export const COLOUR_SIDE = 8;

/**
 * A sketch is what the network sees, small, in uint8: SKETCH_SIDE x SKETCH_SIDE of grey in rows, then COLOUR_SIDE x
 * COLOUR_SIDE of each colour difference (blue, then red; 128 is none). It tells whether two files show one picture.
 */
export const GREY_BYTES = SKETCH_SIDE * SKETCH_SIDE;
export const COLOUR_BYTES = COLOUR_SIDE * COLOUR_SIDE;
export const SKETCH_BYTES = GREY_BYTES + 2 * COLOUR_BYTES;
