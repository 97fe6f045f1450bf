import { join } from 'node:path';
import type { RunResult } from '../../results/head-result.ts';
import { renderBundledDataset } from '../network/bundled-dataset.ts';
import type { Work } from '../work.ts';
import type { RunOptions } from '../extract/options.ts';
import { run } from './run.ts';

/** Where the bundled data set is drawn, and the store of its features: in the folder where the command was given. */
const FOLDER = 'permafrost-demo';

/**
 * `run` on the bundled data set, which is drawn on first use into `permafrost-demo/emoji`; its store, unless `store`
 * says otherwise, lies beside it. Needs no network connection. Throws STORE_WRITE where that may not be written.
 */
export async function demo(given: Partial<RunOptions> = {}, work: Work = {}): Promise<RunResult> {
  const { root, images, rendered } = await renderBundledDataset(join(FOLDER, 'emoji'), work);
  if (rendered > 0) work.listener?.note?.(`Drew ${images} emoji in three styles into ${root}.`);
  return run(root, { store: join(FOLDER, 'emoji.permafrost'), ...given }, work);
}
