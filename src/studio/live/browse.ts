import {
  resolveOptions,
  choiceOption,
  integerOption,
  numberOption,
  stringOption,
  type OptionsOf,
} from '../../core/options.ts';
import { SPLITS } from '../../core/sample.ts';
import type { BrowsePage, BrowseRow } from '../api/studio-data.ts';
import type { LiveHeads } from './heads.ts';
import { cardOf, type Snapshot } from './snapshot.ts';
import { verdictOf } from './verdicts.ts';

/** What is shown of a store's images, and in which order. */
export const BROWSE_OPTIONS = {
  label: stringOption('', 'images of that class; empty: of all'),
  split: choiceOption(['all', ...SPLITS], 'all', 'images of that split'),
  path: stringOption('', 'images whose path contains this'),
  head: stringOption('', 'the head file that judges; empty: none'),
  predicted: stringOption('', 'images that the head takes for this class; empty: for any'),
  verdict: choiceOption(['all', 'right', 'wrong'], 'all', 'images about which the head is right or wrong'),
  least: numberOption(0, 'least probability of the predicted class', { min: 0, max: 1 }),
  most: numberOption(1, 'largest probability of the predicted class', { min: 0, max: 1 }),
  order: choiceOption(['path', 'surest', 'unsurest'], 'path', 'order of the images'),
  page: integerOption(1, 'which page', { min: 1 }),
  perPage: integerOption(48, 'images a page', { min: 1, max: 200 }),
} as const;

/** One page of the images that pass a filter. Throws OPTION_INVALID, FINGERPRINT_MISMATCH. */
export async function browse(
  snapshot: Snapshot,
  heads: LiveHeads,
  given: Partial<OptionsOf<typeof BROWSE_OPTIONS>>,
): Promise<BrowsePage> {
  const request = resolveOptions('browse', BROWSE_OPTIONS, given);
  const verdicts = request.head === '' ? undefined : await heads.verdicts(request.head, snapshot);
  const { samples } = snapshot;
  const part = request.path.toLowerCase();
  // Row numbers alone: cards are made for the shown page only.
  const passed = new Int32Array(samples.length);
  let total = 0;
  for (let i = 0; i < samples.length; i++) {
    const label = samples.labelOf(i);
    if (request.label !== '' && label !== request.label) continue;
    if (request.split !== 'all' && samples.splitOf(i) !== request.split) continue;
    if (part !== '' && !samples.pathOf(i).toLowerCase().includes(part)) continue;
    if (verdicts !== undefined) {
      const { label: predicted, probability } = verdictOf(verdicts, i);
      if (request.predicted !== '' && predicted !== request.predicted) continue;
      if (request.verdict !== 'all' && (predicted === label) !== (request.verdict === 'right')) continue;
      if (probability < request.least || probability > request.most) continue;
    }
    passed[total++] = i;
  }
  const found = passed.subarray(0, total);
  if (verdicts !== undefined && request.order !== 'path') {
    const { probability } = verdicts;
    const sign = request.order === 'surest' ? -1 : 1;
    found.sort((a, b) => sign * (probability[a]! - probability[b]!) || a - b);
  }
  const pages = Math.max(1, Math.ceil(total / request.perPage));
  const page = Math.min(request.page, pages);
  const rows = Array.from(found.subarray((page - 1) * request.perPage, page * request.perPage), (i): BrowseRow => {
    if (verdicts === undefined) return { ...cardOf(snapshot, i), verdict: null };
    const trainedOn = verdicts.trainedOn?.has(samples.digests.at(i)!) ?? null;
    const outOfFold = verdicts.outOfFold[i] === 1;
    return { ...cardOf(snapshot, i), verdict: { ...verdictOf(verdicts, i), trainedOn, outOfFold } };
  });
  return { snapshot: snapshot.name, total, page, pages, rows };
}
