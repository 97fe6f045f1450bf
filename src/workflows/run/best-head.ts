import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { present } from '../../results/report-data.ts';
import { openStore } from '../../store/open.ts';
import { pastRun, savedHead } from './past-run.ts';

async function headsIn(store: string): Promise<string[]> {
  const names = await readdir(join(store, 'heads')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.safetensors')).sort();
}

/**
 * The head file that was meant: the file itself, or of a store the best head of its last run, else its only one; which
 * one is noted. Throws STORE_NOT_FOUND for a folder that is no store, OPTION_INVALID where no head stands out.
 */
export async function headFileOf(given: string, listener: Listener = {}): Promise<string> {
  const isFolder = await stat(given).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
  if (!isFolder) return given;
  const { path: store } = await openStore(given);
  const run = await pastRun(store);
  const best = present(run) ? savedHead(store, run.heads[0]) : run;
  if (present(best)) {
    listener.note?.(`Took the best head of the last run: ${best.path}`);
    return best.path;
  }
  const heads = await headsIn(store);
  if (heads.length === 1) {
    const only = join(store, 'heads', heads[0]!);
    listener.note?.(`Took the store's only head: ${only}`);
    return only;
  }
  throw new PermafrostError(
    'OPTION_INVALID',
    heads.length === 0
      ? `The store ${given} holds no head. "permafrost train ${given}" trains one, "permafrost run" on the data set trains them all and keeps the best.`
      : `The store ${given} holds ${heads.length} heads and no run says which is the best. Name one of the files in ${join(given, 'heads')}: ${few(heads)}.`,
  );
}
