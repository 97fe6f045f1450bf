import { copyFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { availableCores } from '../../core/machine/available-cores.ts';
import type { Failure, Sample } from '../../core/sample.ts';
import type { ImageSource } from '../../extract/source/image-source.ts';
import { imageSource } from '../../extract/source/open.ts';
import { absoluteRoot } from '../../extract/source/place.ts';
import { writeManifest } from '../../store/format/manifest-file.ts';
import { openForWriting, setFor } from '../../store/write/store.ts';
import { extractInto, type Extraction } from '../extract/extract-into.ts';
import type { ExtractOptions } from '../extract/options.ts';
import type { ElsewhereByPass } from '../extract/views.ts';
import type { Extractor } from '../network/extractor.ts';
import { VERSION } from '../version.ts';
import type { Work } from '../work.ts';
import { openKnown } from './known-contents.ts';
import { plannedOptions, type Plan, type PlanFolder } from './plan-file.ts';
import { plannedExtractor } from './planned-extractor.ts';
import { requireImages, requireProbe } from './probe.ts';
import { openPlan, type OpenedPlan } from './s3/shared-plan.ts';
import { imagesOfUnit, openLists } from './unit-lists.ts';
import { writeUnitReport } from './unit-report.ts';

/** What a worker is told beside the plan. */
export interface WorkerRequest {
  /** Where the images lie on this machine; by default where the plan says. */
  readonly root?: string | undefined;
  /** The file of the network on this machine; by default, and where empty, where the plan says. */
  readonly weights?: string | undefined;
  /** Threads that the network computes with; 0 or absent: one per physical core that this process may use. */
  readonly threads?: number | undefined;
}

/** How one unit is to be extracted. */
export interface UnitRequest {
  /** Stops between two batches; what was begun is dropped. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many images of the unit are done, over all passes, of how many. */
  readonly onImages?: ((done: number, of: number) => void) | undefined;
  /**
   * Images of the unit, from and to (exclusive), counted from 0 in it, that are tried alone: nothing is published. For
   * finding the image that ends a process.
   */
  readonly only?: readonly [from: number, to: number] | undefined;
  /** Images of the unit, counted from 0 in it, that ended a process: each becomes the failure IMAGE_CRASHED. */
  readonly crashed?: readonly number[] | undefined;
}

/** What became of a unit. */
export interface UnitOutcome {
  readonly unit: number;
  /**
   * `made`: published by this call; `there`: it was published before; `lost-race`: another was first, and what was made
   * is dropped; `tried`: it was to be tried alone.
   */
  readonly outcome: 'made' | 'there' | 'lost-race' | 'tried';
  readonly images: number;
  /** Images of it that gave no features, over all passes; 0 where it was there. */
  readonly failures: number;
  /** Images that were not extracted, as the store has their features. */
  readonly known: number;
  readonly seconds: number;
}

/** A process that extracts units of a plan, with the network loaded. One unit at a time. */
export interface UnitWorker {
  readonly plan: Plan;
  /** Units that are not there, ascending, whoever makes them; none where the run was merged. */
  missing(): Promise<readonly number[]>;
  /** Images of a unit. */
  imagesOf(unit: number): number;
  /**
   * Extracts a unit and publishes it by one rename. Bad images are data. Throws INTERRUPTED (nothing is left of the
   * unit), STORE_WRITE, STORE_CORRUPT (a list that is not what was planned), ENGINE_FAILED.
   */
  extract(unit: number, request?: UnitRequest): Promise<UnitOutcome>;
  /** Frees the network. */
  close(): Promise<void>;
}

/** Makes a folder the store of a unit: with the planned sets, and what those of int8 rest on. */
async function prepareStore(unitPath: string, { path, plan }: PlanFolder): Promise<void> {
  const store = await openForWriting(unitPath, VERSION);
  for (const { quantization, ...planned } of plan.sets) {
    const set = setFor(store.manifest, { ...planned, engine: plan.engine });
    if (quantization === undefined) continue;
    const { name } = quantization.calibration;
    await copyFile(join(path, name), join(unitPath, name));
    // It was measured where it was planned.
    set.quantization = structuredClone(quantization);
  }
  await writeManifest(store);
}

/** Counts the images of a unit over all passes, from the progress of each. */
function overPasses(images: number, passes: number, onImages: (done: number, of: number) => void): Listener {
  let stage: string | undefined;
  let before = 0;
  let last = 0;
  return {
    progress({ stage: now, done }) {
      if (stage !== undefined && stage !== now) before += last;
      stage = now;
      last = done;
      onImages(Math.min(before + done, images * passes), images * passes);
    },
  };
}

/** The images of a unit that are to be extracted, and those that count as failed unseen. */
function withoutCrashed(
  samples: readonly Sample[],
  { only: [from, to] = [0, samples.length], crashed = [] }: UnitRequest,
): { readonly samples: readonly Sample[]; readonly failures: readonly Failure[] } {
  const lost = new Set(crashed);
  return {
    samples: samples.filter((_, i) => i >= from && i < to && !lost.has(i)),
    failures: samples.flatMap(({ path }, i): Failure[] =>
      lost.has(i)
        ? [{ path, code: 'IMAGE_CRASHED', reason: 'The process that extracted it ended each time, without an error.' }]
        : [],
    ),
  };
}

/**
 * Loads the network of the plan at `path` (its folder, or its address in S3) and checks that this machine gives what
 * was planned: settings, engine, device, precision and version, and the features of the probe; and that the images lie
 * where it was told. Throws FINGERPRINT_MISMATCH naming what differs, PLAN_NOT_FOUND, DATASET_NOT_FOUND,
 * ENGINE_UNAVAILABLE, all before any work.
 */
export async function openUnitWorker(path: string, given: WorkerRequest, work: Work): Promise<UnitWorker> {
  const opened = await openPlan(path);
  const { folder } = opened;
  const { root = folder.plan.dataset.root, weights = '', threads = 0 } = given;
  let source: ImageSource | undefined;
  let extractor: Extractor | undefined;
  try {
    source = await imageSource(absoluteRoot(root));
    await requireImages(folder, source);
    extractor = await plannedExtractor(folder, { weights, threads }, work.listener);
    await requireProbe(folder, extractor);
    const elsewhere = await openKnown(folder);
    return workerOf(opened, {
      source,
      extractor,
      elsewhere,
      threads: threads || (availableCores() ?? availableParallelism()),
    });
  } catch (error) {
    await extractor?.executable.dispose();
    await source?.close();
    await opened.close();
    throw error;
  }
}

/** What a worker has open beside its plan. */
interface Opened {
  readonly source: ImageSource;
  readonly extractor: Extractor;
  /** The contents that need not be extracted. */
  readonly elsewhere: ElsewhereByPass | undefined;
  readonly threads: number;
}

function workerOf(opened: OpenedPlan, { source, extractor, elsewhere, threads }: Opened): UnitWorker {
  const { folder } = opened;
  const { plan } = folder;
  const lists = openLists(folder);
  // What is too many failures, and too great a loss, is decided where units are merged, or was where they were planned.
  const options: ExtractOptions = { ...plannedOptions(plan), maxFailures: -1, minCosine: -1 };

  async function extractUnit(unitPath: string, unit: number, request: UnitRequest, listener: Listener) {
    const { samples, failures } = withoutCrashed(await lists.samplesOf(unit), request);
    // All splits are named as far as a unit is concerned: what is held out is drawn of the whole.
    const dataset = { root: source.root, samples, hasSplits: true, warnings: [], failures };
    return extractInto(
      unitPath,
      { dataset, source, extractor, options: { ...options, store: unitPath }, elsewhere, remembersTimes: false },
      { signal: request.signal, listener },
    );
  }

  function report({ result, failedByPass, remarks, ...extraction }: Extraction, unit: number, seconds: number) {
    return {
      run: plan.run,
      unit,
      permafrost: VERSION,
      images: imagesOfUnit(plan, unit),
      extracted: result.extracted,
      ...(elsewhere !== undefined && { known: extraction.elsewhere }),
      failures: [...failedByPass],
      remarks: Array.from(remarks, ([sha256, { oneColour, hasAlpha, isClipped }]) => ({
        sha256,
        ...(oneColour && { oneColour }),
        hasAlpha,
        isClipped,
      })),
      seconds,
      threads,
      engine: plan.engine,
    };
  }

  return {
    plan,
    missing: () => opened.missing(),
    imagesOf: (unit) => imagesOfUnit(plan, unit),
    async extract(unit, request = {}) {
      const images = imagesOfUnit(plan, unit);
      if (request.only === undefined && (await opened.isPublished(unit)))
        return { unit, outcome: 'there', images, failures: 0, known: 0, seconds: 0 };
      const started = performance.now();
      const secondsNow = (): number => Math.round(performance.now() - started) / 1000;
      const draft = await opened.begin(unit, (unitPath) => prepareStore(unitPath, folder));
      try {
        const listener = overPasses(images, 1 + options.views, (done, of) => {
          draft.advance(done, of);
          request.onImages?.(done, of);
        });
        const extraction = await extractUnit(draft.path, unit, request, listener);
        const failures = extraction.result.failed.length;
        const told = { unit, images, failures, known: extraction.elsewhere, seconds: secondsNow() };
        if (request.only !== undefined) {
          await draft.drop();
          return { ...told, outcome: 'tried' };
        }
        await writeUnitReport(draft.path, report(extraction, unit, told.seconds));
        return { ...told, outcome: (await draft.publish()) ? 'made' : 'lost-race' };
      } catch (error) {
        await draft.drop();
        // Who slept for long may find that another made the unit meanwhile, and took its own away.
        if (isOfDisk(error) && request.only === undefined && (await opened.isPublished(unit)))
          return { unit, outcome: 'lost-race', images, failures: 0, known: 0, seconds: secondsNow() };
        throw error;
      }
    },
    async close() {
      await extractor.executable.dispose();
      await source.close();
      await opened.close();
    },
  };
}

const isOfDisk = (error: unknown): boolean => error instanceof PermafrostError && error.code === 'STORE_WRITE';
