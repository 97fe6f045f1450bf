/** Side of a sketch in pixels. */
export const SKETCH_SIDE = 32;

/**
 * A sketch: the grey picture of what the network sees, SKETCH_SIDE x SKETCH_SIDE uint8 in rows. It tells whether two
 * files show one picture.
 */
export const SKETCH_BYTES = SKETCH_SIDE * SKETCH_SIDE;
