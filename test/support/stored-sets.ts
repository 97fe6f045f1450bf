import { openStore } from '../../src/store/open.ts';

/** Mean features of each image of a store's data set, by path, as its reader finds them. */
export async function contentsOfSets(store: string): Promise<Record<string, number[]>> {
  const opened = await openStore(store);
  const samples = [...(await opened.samples())];
  const { matrix: X } = await opened.rows({ parts: 'avg', memory: 'matrix' });
  return Object.fromEntries(
    samples.map(({ path }, i) => [path, [...X.data.subarray(i * X.cols, (i + 1) * X.cols)]] as const),
  );
}
