import { relabelled, scanDataset, type Dataset } from '../../extract/dataset/dataset.ts';

/** The data set at `where`, under the labels of a list where one is given (see `relabelled`). */
export async function openDataset(where: string, { labels = '' }: { readonly labels?: string } = {}): Promise<Dataset> {
  const found = await scanDataset(where);
  return labels === '' ? found : relabelled(found, labels);
}
