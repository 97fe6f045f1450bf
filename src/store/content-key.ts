import type { StoredSample } from './shard.ts';

/** The first 32 bits of a content's SHA-256: of the images with the lowest keys a sample is made, the same one on any machine and with copies together. */
export const contentKey = ({ sha256 }: StoredSample): number => parseInt(sha256.slice(0, 8), 16);
