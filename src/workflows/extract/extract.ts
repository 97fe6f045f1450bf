import { resolveOptions } from '../../core/options.ts';
import type { ExtractResult } from '../../results/extract-result.ts';
import { openDataset } from '../network/dataset.ts';
import type { Work } from '../work.ts';
import { extractNetworks, wantedNetworks } from './extract-networks.ts';
import { extractTuned } from './extract-tuned.ts';
import { EXTRACT_OPTIONS, type ExtractOptions } from './options.ts';
import { viewsRequest } from './views.ts';

/**
 * Brings the features of a data set into its store: images stored under the same settings are reused, others extracted.
 * With `backboneFile` those of a tuned network, of a data set or of the images that a store lists. Bad images are
 * counted, not thrown. Throws what the parts throw, before any work where it can be known; INTERRUPTED and
 * TOO_MANY_FAILURES keep all sealed features.
 */
export async function extract(
  datasetPath: string,
  given: Partial<ExtractOptions> = {},
  work: Work = {},
): Promise<ExtractResult> {
  const options = resolveOptions('extract', EXTRACT_OPTIONS, given);
  // Refused before any work.
  viewsRequest(options);
  if (options.backboneFile !== '') return extractTuned(datasetPath, options, given, work);
  const networks = await wantedNetworks(options, work.listener);
  return extractNetworks(datasetPath, await openDataset(datasetPath, options), options, work, networks);
}
