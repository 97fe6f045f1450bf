import { join, resolve } from 'node:path';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import { requireLayerBackbone } from '../../extract/backbones/layer-backbones.ts';
import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { RunResult } from '../../results/head-result.ts';
import { writeSealed } from '../../store/format/seal-beside.ts';
import { removeUnfinished } from '../../store/format/temporary-files.ts';
import { openDataset } from '../network/dataset.ts';
import { extractAny } from '../extract/extract-tuned.ts';
import { requireBothSides } from '../extract/after-decoding.ts';
import { backboneNames, wantedNetworks } from '../extract/extract-networks.ts';
import { viewsRequest } from '../extract/views.ts';
import { RUN_DEFAULTS, RUN_OPTIONS, type RunOptions } from '../extract/options.ts';
import { RESULTS_NAME } from './past-run.ts';
import { STRATEGIES_CUT, strategiesOf } from '../strategies/strategies.ts';
import { headsOfRun } from './heads.ts';
import type { Work } from '../work.ts';

/**
 * The main job: extracts what is missing, trains RUN_HEADS on the deepest cut and one head on each other, keeps the
 * best head as a file and the report as results.json in the store.
 */
export async function run(datasetPath: string, wanted: Partial<RunOptions> = {}, work: Work = {}): Promise<RunResult> {
  const resolved = resolveOptions('run', RUN_OPTIONS, wanted);
  const { allHeads, answers, reject, probeImages, memory, strategies, strategiesMinutes, ...given } = resolved;
  // Refused before the data set is listed.
  if (strategies) requireStrategies(given.backbone);
  const options = strategies ? withStrategiesCuts(given, work) : given;
  const networks = await wantedNetworks(options, work.listener);
  viewsRequest(options);
  const dataset = await openDataset(datasetPath, options);
  // One class cannot be told from another: better said before minutes of extraction than after.
  const classes = new Set(dataset.samples.map(({ label }) => label));
  if (classes.size < 2) {
    throw new PermafrostError(
      'DATASET_CLASSES',
      `${datasetPath} has one class (${[...classes].join()}); heads need two or more. "permafrost extract" works with one.${dataset.warnings.map((warning) => ` ${warning}`).join('')}`,
    );
  }
  requireHoldOut(datasetPath, dataset);
  const extracted = await extractAny(datasetPath, dataset, options, given, networks, work);
  requireBothSides(dataset, extracted);
  const { seconds, ...heads } = await headsOfRun(
    extracted.store,
    {
      allHeads,
      answers,
      reject,
      probeImages,
      memory,
      views: options.views,
      network: extracted.tuned?.fingerprint,
      weights: [extracted, ...(extracted.others ?? [])].map((one) => one.weights),
    },
    work,
  );
  const result: RunResult = {
    ...extracted,
    options: Object.fromEntries(
      Object.entries(resolved).filter(([key, value]) => value !== RUN_DEFAULTS[key as keyof RunOptions]),
    ),
    seconds: { ...extracted.seconds, train: seconds },
    ...heads,
    ...(strategies && {
      strategies: await strategiesOf(
        extracted.store,
        { minutes: strategiesMinutes, memory, weights: options.weights },
        work,
      ),
    }),
  };
  const text = `${JSON.stringify(result, null, 1)}\n`;
  const file = join(resolve(extracted.store), RESULTS_NAME);
  await removeUnfinished(file);
  await writeSealed(file, [new TextEncoder().encode(text)]);
  return result;
}

/** Throws OPTION_INVALID for backbones whose layers cannot be trained. */
function requireStrategies(backbone: string): void {
  const [name, ...others] = backboneNames(backbone);
  requireLayerBackbone(name!, 'run --strategies');
  if (others.length > 0)
    throw new PermafrostError(
      'OPTION_INVALID',
      `run --strategies works on one backbone, and --backbone names ${backbone}. Name one, or leave --strategies out.`,
    );
}

/** One pass gives all that the strategies read, where no cuts were named. */
function withStrategiesCuts<O extends { readonly cut: string }>(options: O, { listener }: Work): O {
  if (options.cut !== RUN_DEFAULTS.cut) return options;
  listener?.note?.(`The strategies read several layers: --cut is ${STRATEGIES_CUT}.`);
  return { ...options, cut: STRATEGIES_CUT };
}

/** Throws DATASET_CLASSES where the data set names no validation images and no class has an image to spare. */
function requireHoldOut(where: string, { hasSplits, samples }: Dataset): void {
  const classes = new Set(samples.map(({ label }) => label));
  if (hasSplits || samples.length > classes.size) return;
  throw new PermafrostError(
    'DATASET_CLASSES',
    `${where} has one image of each of its ${classes.size} classes and names no validation images, so none can be held out. Add images, of each class two or more, or name the validation images (Train/ and Val/, or a list with splits). "permafrost extract" works with one of each.`,
  );
}
