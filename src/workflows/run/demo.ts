import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../results/head-result.ts';
import { renderBundledDataset } from '../network/bundled-dataset.ts';
import type { Work } from '../work.ts';
import type { RunOptions } from '../extract/options.ts';
import { run } from './run.ts';

/** Where the bundled data set is drawn, and the store of its features: folders that git ignores. */
const RENDERED = fileURLToPath(new URL('../../../data/rendered/emoji', import.meta.url));
const STORE = fileURLToPath(new URL('../../../data/rendered/emoji.permafrost', import.meta.url));

/** `run` on the bundled data set, which is drawn on first use. Needs no network connection. */
export async function demo(given: Partial<RunOptions> = {}, work: Work = {}): Promise<RunResult> {
  const { root, images, rendered } = await renderBundledDataset(RENDERED, work);
  if (rendered > 0) work.listener?.note?.(`Drew ${images} emoji in three styles into ${root}.`);
  return run(root, { store: STORE, ...given }, work);
}
