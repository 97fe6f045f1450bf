import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { present, type ReportData } from '../../results/report-data.ts';
import { shownCopies } from '../../results/copy-groups.ts';
import { openStore } from '../../store/open.ts';
import { currentSets, smallPooling } from '../../store/read/stored-parts.ts';
import { checkStore } from '../check/check.ts';
import { CHECK_DEFAULTS } from '../check/options.ts';
import { inspect } from '../care/inspect.ts';
import { labelledStore } from '../train/labelled-store.ts';
import { pastRun } from '../run/past-run.ts';
import { askBest, type Answers } from './answers.ts';
import { pageImages, reportedDataset } from './images.ts';
import { judgementOf } from './judgement.ts';
import { featureMap, mapSample } from './map.ts';
import { REPORT_DATA_OPTIONS, type ReportDataOptions } from './options.ts';
import { thumbnails, worthShowing } from './thumbnails.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';

/**
 * Gathers what there is to see of a store: its data set, the last run's heads, the best one's mistakes with their
 * neighbours, what check finds, a map of the features, thumbnails. Above `maxImages` a sample is shown; figures are of
 * all. With a list of labels these count. Throws STORE_NOT_FOUND, STORE_EMPTY, STORE_CORRUPT, HEAD_CORRUPT,
 * PACKAGE_MISSING, OPTION_INVALID, INTERRUPTED, and what labelledStore throws.
 */
export async function reportData(
  storePath: string,
  given: Partial<ReportDataOptions> = {},
  work: Work = {},
): Promise<ReportData> {
  const { labels, maxImages, maxThumbnails, mapImages, seed } = resolveOptions('report', REPORT_DATA_OPTIONS, given);
  const opened = await openStore(storePath);
  const enter = (stage: string): void => {
    if (work.signal?.aborted === true)
      throw new PermafrostError('INTERRUPTED', 'The report was interrupted; nothing was written.', {
        cause: work.signal.reason,
      });
    work.listener?.progress?.({ stage, done: 0, total: 1, perSecond: 0 });
  };
  enter('counting');
  const inspected = await inspect(opened.path);
  const { store, relabelled } = await labelledStore(opened, labels, work);
  const summary = reportedDataset(await store.samples(), maxImages);
  if (summary.images > maxImages)
    work.listener?.note?.(
      `The page shows a sample of about ${maxImages} of ${summary.images} images, those whose SHA-256 is lowest (--max-images). Its figures of heads, confusion, classes and calibration are of all validated images.`,
    );
  enter('judging');
  const run = await pastRun(store.path);
  const answers = await askBest(store, run, work);
  enter('checking');
  const compared = Math.min(maxImages, CHECK_DEFAULTS.images);
  const checked = await checkStore(store, { ...CHECK_DEFAULTS, seed, images: compared }, work);
  enter('reading features');
  const shown = new Set([...shownCopies(checked), ...(present(answers) ? answers.mistaken : [])]);
  const isJudged: Answers['isJudged'] = (sample) => present(answers) && answers.isJudged(sample);
  const page = pageImages(await store.samples(), summary, shown, isJudged);
  const { samples } = page;
  const parts = smallPooling(currentSets(store)[0]);
  const { matrix: X } = await store.withSamples(samples).rows({ parts, memory: 'matrix' });
  const judgement = await judgementOf(answers, page, X);
  enter('drawing the map');
  const sample = mapSample(samples.length, mapImages, seed);
  const wanted = worthShowing(samples, judgement, checked, sample);
  // The map takes one core and pictures are made on libuv's threads: beside each other.
  const [map, pictures] = await Promise.all([
    present(sample) ? featureMap(X, sample, seed, work.signal) : sample,
    thumbnails(store.manifest.dataset.root, samples, wanted, maxThumbnails, work),
  ]);
  return {
    permafrost: VERSION,
    store: { ...inspected, images: summary.images, classes: summary.classes },
    images: samples.map(({ path, label, split }) => ({ path, label, split })),
    relabelled: labels === '' ? null : relabelled.length,
    sizes: summary.sizes,
    run,
    judgement,
    check: checked,
    map: present(map) ? { ...map, leftOut: summary.images - map.images.length } : map,
    thumbnails: pictures,
  };
}
