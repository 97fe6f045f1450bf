import { present } from '../../results/or-reason.ts';
import { memoryBound } from '../memory.ts';
import { exactNeighbors, type Search } from '../search/exact-neighbors.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { trainingStore } from '../train/files/training-store.ts';
import type { Work } from '../work.ts';

/**
 * Search of a head's training images under the labels that they were trained on; undefined, which is noted, where their
 * store has gone or holds other features. Throws OPTION_INVALID where it takes more than `memory`.
 */
export async function trainingSearch(opened: OpenedHead, memory: string, work: Work): Promise<Search | undefined> {
  const found = await trainingStore(opened);
  if (!present(found)) {
    work.listener?.note?.(`${found.missing}: no nearest images are shown.`);
    return undefined;
  }
  const [bound, otherBytes] = [memoryBound(memory), opened.rowsMemory];
  return exactNeighbors({ ...found, splits: ['train'], owner: 'predict', metric: 'cosine', bound, otherBytes }, work);
}
