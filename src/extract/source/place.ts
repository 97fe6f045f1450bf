import { join, resolve } from 'node:path';

/** The root of a data set as stores keep it, the same from whatever folder it is named. */
export const absoluteRoot = (root: string): string => resolve(root);

/** Where an image lies, for messages. */
export const placeOf = (root: string, path: string): string => join(root, path);
