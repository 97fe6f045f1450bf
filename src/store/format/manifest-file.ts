import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { DEFAULT_POOLINGS } from '../../core/sample.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { fingerprintOf } from './fingerprint.ts';
import {
  FORMAT,
  MANIFEST_COPY_NAME,
  MANIFEST_NAME,
  manifestSchema,
  manifestSchema1,
  READ_VERSIONS,
  versionFor,
  type Manifest,
  type ManifestDraft,
  type StoreDraft,
  type StoreFolder,
} from './manifest.ts';
import { sealJson, unseal, unsealExactly } from './sealed-json.ts';

function migratedFrom1({ dataset, ...manifest }: z.infer<typeof manifestSchema1>): ManifestDraft {
  const { fingerprint, ...rest } = dataset;
  const sets = fingerprint === '' ? [] : [{ fingerprint, poolings: [...DEFAULT_POOLINGS] }];
  return { ...manifest, dataset: { ...rest, sets } };
}

/**
 * Reads and checks a store's manifest, or with `name` the copy of it. Throws STORE_NOT_FOUND, STORE_CORRUPT or
 * STORE_VERSION.
 */
export async function readManifest(
  store: string,
  name: typeof MANIFEST_NAME | typeof MANIFEST_COPY_NAME = MANIFEST_NAME,
): Promise<ManifestDraft> {
  const path = join(store, name);
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const advice = 'Give a folder that "permafrost extract" or "permafrost run" made.';
    const what =
      cause.code === 'ENOENT' || cause.code === 'ENOTDIR' ? 'is not there' : `cannot be read (${reasonOf(cause)})`;
    throw new PermafrostError('STORE_NOT_FOUND', `${store} is no store: ${MANIFEST_NAME} ${what}. ${advice}`, {
      cause,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw damaged(path, `it is no JSON (${reasonOf(cause)})`);
  }
  const { format, version } = (json ?? {}) as { readonly format?: unknown; readonly version?: unknown };
  if (format !== FORMAT) {
    throw new PermafrostError(
      'STORE_NOT_FOUND',
      `${store} is no store: its ${MANIFEST_NAME} does not say "format": "${FORMAT}". Give a folder that "permafrost extract" or "permafrost run" made.`,
    );
  }
  let document: Record<string, unknown>;
  try {
    document = unseal(json);
  } catch (cause) {
    // Every version seals its manifest: without a digest it may be of a version to come, with a wrong one it is
    // damaged.
    if (!('digest' in (json as object)) && !READ_VERSIONS.includes(version)) throw otherVersion(store, version);
    throw damaged(path, reasonOf(cause));
  }
  if (!READ_VERSIONS.includes(version)) throw otherVersion(store, version);
  const schema = version === 1 ? manifestSchema1.transform(migratedFrom1) : manifestSchema;
  const parsed = schema.safeParse(document);
  const damage = parsed.success
    ? changedSettings(parsed.data)
    : parsed.error.issues.map(({ path: field, message }) => `${field.join('.')}: ${message}`);
  if (!parsed.success || damage.length > 0) throw damaged(path, damage.slice(0, 3).join('; '));
  return parsed.data;
}

/** The manifest of a folder; undefined where it is no store. Throws STORE_CORRUPT or STORE_VERSION. */
export const findManifest = (folder: string): Promise<ManifestDraft | undefined> =>
  readManifest(folder).catch((error: unknown) => {
    if (error instanceof PermafrostError && error.code === 'STORE_NOT_FOUND') return undefined;
    throw error;
  });

function otherVersion(store: string, version: unknown): PermafrostError {
  return new PermafrostError(
    'STORE_VERSION',
    `${store} has store version ${JSON.stringify(version)}; this permafrost reads versions ${READ_VERSIONS.join(', ')}. Use the permafrost that wrote it, or extract anew.`,
  );
}

function damaged(path: string, problem: string): PermafrostError {
  return new PermafrostError(
    'STORE_CORRUPT',
    `${path} is damaged: ${problem}. "permafrost repair" makes it anew from its copy and from the shards beside it.`,
  );
}

/** A set whose settings were edited is no longer what it says. */
function changedSettings({ sets }: Manifest): string[] {
  return sets.flatMap(({ fingerprint, settings }, i) =>
    fingerprint === fingerprintOf(settings)
      ? []
      : [`sets.${i}.fingerprint: ${fingerprint} is not that of its settings, ${fingerprintOf(settings)}`],
  );
}

/**
 * Replaces the manifest at once, in the version of its sets, to which the draft is migrated, and then its copy. Throws
 * STORE_WRITE.
 */
export async function writeManifest(store: StoreDraft): Promise<void> {
  const { path, manifest } = store;
  const version = versionFor(manifest);
  const bytes = new TextEncoder().encode(sealJson({ ...manifest, version }));
  await writeFileAtomic(join(path, MANIFEST_NAME), [bytes]);
  manifest.version = version;
  if (hasCopy(store)) await writeFileAtomic(join(path, MANIFEST_COPY_NAME), [bytes]);
}

/** Whether there is more to a manifest than the seals of the shards tell: a data set, also one that was lost. */
const hasCopy = ({ path, manifest }: StoreFolder): boolean =>
  manifest.dataset.samples !== undefined || existsSync(join(path, MANIFEST_COPY_NAME));

/** What is wrong with the copy of a manifest, and whether it is of the state before, as a killed process leaves it. */
export async function copyProblem(store: string): Promise<{ readonly problem?: string; readonly isBehind: boolean }> {
  try {
    const text = await readFile(join(store, MANIFEST_COPY_NAME), 'utf8');
    unsealExactly(text);
    await readManifest(store, MANIFEST_COPY_NAME);
    return { isBehind: text !== (await readFile(join(store, MANIFEST_NAME), 'utf8').catch(() => text)) };
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT'
      ? { isBehind: false }
      : { problem: reasonOf(cause), isBehind: false };
  }
}

/** Makes the copy of a manifest that is on the disk equal to it, where a killed process did not. Throws STORE_WRITE. */
export async function renewCopy(store: StoreFolder): Promise<void> {
  if (!hasCopy(store)) return;
  const [bytes, copy] = await Promise.all(
    [MANIFEST_NAME, MANIFEST_COPY_NAME].map((name) => readFile(join(store.path, name)).catch(() => undefined)),
  );
  if (bytes !== undefined && copy?.equals(bytes) !== true)
    await writeFileAtomic(join(store.path, MANIFEST_COPY_NAME), [bytes]);
}
