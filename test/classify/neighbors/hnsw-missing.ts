import { reasonOf } from '../../../src/core/errors.ts';
import { loadHnsw } from '../../../src/classify/neighbors/hnsw-graph.ts';

/** Why the tests of the optional hnswlib-node are skipped here; undefined where it loads. */
export function hnswMissing(): Promise<string | undefined> {
  return loadHnsw().then(() => undefined, reasonOf);
}
