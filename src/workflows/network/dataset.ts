import { relabelled, type Dataset } from '../../extract/dataset/dataset.ts';
import { findDataset } from './find-dataset.ts';

/** The data set at `where`, under the labels of a list where one is given (see `relabelled`). */
export async function openDataset(where: string, { labels = '' }: { readonly labels?: string } = {}): Promise<Dataset> {
  const found = await findDataset(where);
  return labels === '' ? found : relabelled(found, labels);
}
