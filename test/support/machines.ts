import { join } from 'node:path';
import { extract } from '../../src/workflows/extract/extract.ts';
import type { ExtractOptions } from '../../src/workflows/extract/options.ts';
import { merge } from '../../src/workflows/machines/merge.ts';
import type { PlanOptions } from '../../src/workflows/machines/options.ts';
import { extractPart } from '../../src/workflows/machines/part.ts';
import { plan } from '../../src/workflows/machines/plan.ts';
import { filesOf } from './stores.ts';

/** Maps of block1_pool, the cheapest there are: six rows fill a shard. */
export const SIX_A_UNIT = { cut: 'block1_pool', engine: 'onnxruntime', precision: 'fp32', shardMegabytes: 10 } as const;

/** The files of a store that are promised to be the same: the times of files belong to one machine. */
export function promisedFiles(store: string): Record<string, string> {
  return Object.fromEntries(Object.entries(filesOf(store)).filter(([name]) => name !== 'file-times.safetensors'));
}

/** Plans a data set, extracts the parts in this order, and merges. */
export async function byParts(
  dataset: string,
  store: string,
  options: Partial<PlanOptions>,
  order: readonly number[] = [2, 0, 1],
) {
  const planned = await plan(dataset, { ...options, store, parts: order.length });
  const parts = [];
  for (const index of order) parts.push(await extractPart(planned.plan, { part: `${index + 1}/${order.length}` }));
  return { planned, parts, merged: await merge(store) };
}

/** The promised files of a store that one machine made, and of one that was made of parts. */
export async function bothWays(
  dataset: string,
  folder: string,
  options: Partial<ExtractOptions>,
  order?: readonly number[],
) {
  const alone = join(folder, 'alone');
  const shared = join(folder, 'shared');
  const result = await extract(dataset, { ...options, store: alone });
  const made = await byParts(dataset, shared, options, order);
  return { alone, shared, result, ...made, expected: promisedFiles(alone), found: promisedFiles(shared) };
}
