import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { ERROR_CODES, PermafrostError, reasonOf } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import { POOLINGS } from '../../core/sample.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import { PARTS_FOLDER, setSchema } from '../../store/format/manifest.ts';
import { findManifest } from '../../store/format/manifest-file.ts';
import { sealJson, unsealExactly } from '../../store/format/sealed-json.ts';
import { EXTRACT_OPTIONS, type ExtractOptions } from '../extract/options.ts';

/** The plan in that folder. */
export const PLAN_NAME = 'plan.json';
const FORMAT = 'permafrost-plan';
const VERSION = 1;
/** Of a plan with known contents: an older permafrost, which would make units of all, refuses it. */
const VERSION_WITH_KNOWN = 2;
/** What plans say of the store's version; units of either layout of shards can be merged, so it stays. */
export const PLANNED_STORE = 2;

const count = z.number().int().nonnegative();
const positive = z.number().int().positive();
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** A file beside the plan: its digest stands in the plan, so no byte of it changes unnoticed. */
const besideSchema = z.strictObject({
  name: z.string().regex(/^[\w-][\w.-]*$/),
  bytes: count,
  sha256: digest,
});

/** The features that a plan wants of a cut: as the set of a manifest has it, with the wanted poolings. */
const plannedSetSchema = setSchema
  .omit({ engine: true, shards: true, tuned: true })
  .extend({ poolings: z.array(z.enum(POOLINGS)).min(1) });

const failureSchema = z.strictObject({ path: z.string(), code: z.enum(ERROR_CODES), reason: z.string() });

const planSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.union([z.literal(VERSION), z.literal(VERSION_WITH_KNOWN)]),
  /** Names the run: the first 16 hex digits of a digest of all that decides the features and their files. */
  run: z.string().regex(/^[0-9a-f]{16}$/),
  /** The permafrost that planned, and the versions of its store and of its decoder, which a worker must have too. */
  permafrost: z.string(),
  store: positive,
  decoder: positive,
  /** Into how many parts the units are shared out. It decides no byte of a unit. */
  parts: positive,
  dataset: z.strictObject({
    /** Where the images lie for the machine that planned; a worker may be given another place. */
    root: z.string(),
    images: count,
    /** False: all images stand as training images here, and merging draws the split. */
    hasSplits: z.boolean(),
    /** Files that cannot even be opened by their names. */
    failures: z.array(failureSchema),
  }),
  engine: setSchema.shape.engine,
  /** The deepest cut, which is the primary one, first. */
  sets: z.array(plannedSetSchema).min(1),
  /** The options of `extract` but those that say where things are and which engine runs. */
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Unit k is the images k * size to (k + 1) * size - 1 of the listing. */
  units: z.strictObject({ size: positive, count: positive }),
  /** The listing in files of JSON lines; each but the last holds `listed` units. */
  lists: z.strictObject({ listed: positive, files: z.array(besideSchema).min(1) }),
  /** An image and its pooled features (probe.ts): what a worker makes of it must have this cosine or more. */
  probe: z.strictObject({ image: z.string(), sha256: digest, file: besideSchema, leastCosine: z.number() }),
  /**
   * Contents that the store had when it was planned last (known-contents.ts), which units need not extract. They decide
   * no byte of the merged store, so they are no part of the run's name.
   */
  known: z.strictObject({ contents: count, file: besideSchema }).exactOptional(),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** How a data set is shared out to machines: all that a worker must know and must agree with. */
export type Plan = DeepReadonly<z.infer<typeof planSchema>>;
/** A plan and the folder in which it lies, with its lists and its finished units. */
export interface PlanFolder {
  readonly path: string;
  readonly plan: Plan;
}

/** The folder of a run in its store. */
export const planFolder = (store: string, run: string): string => join(resolve(store), PARTS_FOLDER, run);

/** The options of the extraction that was planned; of the engine what the plan pins. */
export function plannedOptions({ options, engine }: Plan): ExtractOptions {
  const { name, device, precision } = engine;
  const given = { ...options, engine: name, device, precision } as Partial<ExtractOptions>;
  return resolveOptions('the plan', EXTRACT_OPTIONS, given);
}

/** Replaces a plan at once. Throws STORE_WRITE. */
export async function writePlan({ path, plan }: PlanFolder): Promise<void> {
  await writeFileAtomic(join(path, PLAN_NAME), [new TextEncoder().encode(sealJson(plan))]);
}

/** A plan without its format and version, which this permafrost gives it. */
export const newPlan = (plan: Omit<Plan, 'format' | 'version'>): Plan => ({
  format: FORMAT,
  version: plan.known === undefined ? VERSION : VERSION_WITH_KNOWN,
  ...plan,
});

const notFound = (where: string, cause?: unknown): PermafrostError =>
  new PermafrostError(
    'PLAN_NOT_FOUND',
    `There is no plan at ${where}: ${cause === undefined ? `${PLAN_NAME} is not there` : reasonOf(cause)}. Give the folder that "permafrost plan" named, STORE/${PARTS_FOLDER}/RUN; a run that was merged has none any more.`,
    { cause },
  );

/** Whether there is a plan in a folder, or its file: a run that was merged has none any more. */
export async function hasPlan(where: string): Promise<boolean> {
  const isFile = (path: string): Promise<boolean> =>
    stat(path).then(
      (facts) => facts.isFile(),
      () => false,
    );
  return (await isFile(where)) || (await isFile(join(where, PLAN_NAME)));
}

/** The name of the run whose plan lay at `where`, if it is gone and its store lists a data set: it was merged. */
export async function mergedRun(where: string): Promise<string | undefined> {
  const path = resolve(where);
  const run = basename(path);
  const parts = dirname(path);
  if (!/^[0-9a-f]{16}$/.test(run) || basename(parts) !== PARTS_FOLDER || (await hasPlan(path))) return undefined;
  const store = await findManifest(dirname(parts));
  return store?.dataset.samples === undefined ? undefined : run;
}

/** Reads the plan in a folder, or of its file. Throws PLAN_NOT_FOUND, STORE_VERSION, STORE_CORRUPT. */
export async function readPlan(where: string): Promise<PlanFolder> {
  const given = resolve(where);
  const isFile = await stat(given).then(
    (facts) => facts.isFile(),
    () => false,
  );
  if (isFile && basename(given) !== PLAN_NAME) throw notFound(where);
  const path = isFile ? dirname(given) : given;
  const file = join(path, PLAN_NAME);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw notFound(where, cause);
  });
  try {
    const document = unsealExactly(text);
    if (document['format'] !== FORMAT) throw new Error(`it does not say "format": "${FORMAT}"`);
    if (document['version'] !== VERSION && document['version'] !== VERSION_WITH_KNOWN)
      throw otherVersion(file, document['version']);
    return { path, plan: planSchema.parse(document) };
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${file} is not what was written: ${reasonOf(cause)}. Plan again with the same command: finished units are kept.`,
      { cause },
    );
  }
}

function otherVersion(file: string, version: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_VERSION',
    `${file} is a plan of version ${JSON.stringify(version)}; this permafrost reads versions ${VERSION} and ${VERSION_WITH_KNOWN}. Use one permafrost on all machines.`,
  );
}
