import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where networks that come with the package lie: a folder each, named as they are. */
const FOLDER = fileURLToPath(new URL('../../../data/backbones/', import.meta.url));

/** Names of the graphs that come with the package. */
export const BUNDLED_GRAPHS = ['efficientnet-lite0'] as const;

/** The file of a graph that comes with the package. */
export const bundledGraph = (name: string): string => join(FOLDER, name, `${name}.onnx`);
