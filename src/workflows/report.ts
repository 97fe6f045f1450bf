import { resolve } from 'node:path';
import { PermafrostError } from '../core/errors.ts';
import { resolveOptions } from '../core/options.ts';
import { present, type Range3, type ReportData } from '../core/report-data.ts';
import { readManifest } from '../store/manifest.ts';
import { check } from './check.ts';
import { everyImage } from './every-image.ts';
import type { Work } from './work.ts';
import { inspect } from './inspect.ts';
import { pastRun } from './past-run.ts';
import { judge } from './report-judgement.ts';
import { featureMap, mapSample } from './report-map.ts';
import { REPORT_OPTIONS, type ReportOptions } from './report-options.ts';
import { thumbnails, worthShowing } from './report-thumbnails.ts';
import { VERSION } from './version.ts';

function rangeOf(values: readonly number[]): Range3 {
  const sorted = [...values].sort((a, b) => a - b);
  return [sorted[0]!, sorted[Math.floor((sorted.length - 1) / 2)]!, sorted.at(-1)!];
}

/**
 * Gathers what there is to see of a store: its data set, the last run's heads, what the best of them gets wrong and what lies nearest to
 * that, what check finds, a map of the features, thumbnails from the image files where they are still there. Loads no network and changes
 * nothing. Throws STORE_NOT_FOUND, STORE_EMPTY, STORE_CORRUPT, HEAD_CORRUPT, PACKAGE_MISSING, OPTION_INVALID (also above
 * `maxImages`), INTERRUPTED.
 */
export async function report(
  storePath: string,
  given: Partial<ReportOptions> = {},
  work: Work = {},
): Promise<ReportData> {
  const { maxImages, maxThumbnails, mapImages, seed } = resolveOptions('report', REPORT_OPTIONS, given);
  const store = resolve(storePath);
  const manifest = await readManifest(store);
  const tell = (stage: string): void => {
    if (work.signal?.aborted === true)
      throw new PermafrostError('INTERRUPTED', 'The report was interrupted; nothing was written.', {
        cause: work.signal.reason,
      });
    work.listener?.progress?.({ stage, done: 0, total: 1, perSecond: 0 });
  };
  const { images, ...inspected } = await inspect(store);
  if (images > maxImages)
    throw new PermafrostError(
      'OPTION_INVALID',
      `${store} holds ${images} images, and a page is made of ${maxImages} at most, since it holds a row for each. "permafrost check" compares any number; or give --max-images ${images} and the memory for it.`,
    );
  tell('reading features');
  const all = await everyImage(store, manifest);
  const { samples } = all;
  tell('judging');
  const run = await pastRun(store);
  const judgement = await judge({ store, manifest, all }, run);
  tell('checking');
  const checked = await check(store, { seed }, work);
  tell('drawing the map');
  const sample = mapSample(samples.length, mapImages, seed);
  const wanted = worthShowing(samples, judgement, checked, sample);
  // The map takes one core and pictures are made on libuv's threads: beside each other.
  const [map, pictures] = await Promise.all([
    present(sample) ? featureMap(all.X, sample, seed, work.signal) : sample,
    thumbnails(manifest.dataset.root, samples, wanted, maxThumbnails, work),
  ]);
  return {
    permafrost: VERSION,
    store: { ...inspected, images },
    images: samples.map(({ path, label, split }) => ({ path, label, split })),
    sizes:
      samples.length === 0
        ? null
        : {
            width: rangeOf(samples.map(({ width }) => width)),
            height: rangeOf(samples.map(({ height }) => height)),
          },
    run,
    judgement,
    check: checked,
    map,
    thumbnails: pictures,
  };
}
