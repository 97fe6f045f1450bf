import { readFile, readdir, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve as absolute, sep } from 'node:path';
import { canonicalJson, sha256Hex } from '../core/digest.ts';
import { PermafrostError } from '../core/errors.ts';
import { findIconSet, resolveInstalled, type IconSet, type Resolve } from '../extract/icon-set.ts';
import { renderSvg } from '../extract/render-svg.ts';

/** The drawing styles, the npm package of each, and the split that it makes: nothing in `val` is in a style of `train`. */
export const CARRIED_STYLES = [
  { style: 'twemoji', packageName: '@iconify-json/twemoji', split: 'train' },
  { style: 'noto', packageName: '@iconify-json/noto', split: 'train' },
  { style: 'fluent', packageName: '@iconify-json/fluent-emoji-flat', split: 'val' },
] as const;

/** Side of a picture in pixels: what VGG16 takes, so that no resize follows. */
const SIZE = 224;
/** Pictures in flight: the size of libuv's thread pool, on which sharp draws. */
const IN_FLIGHT = 4;
const STAMP = '.rendered.json';

/** What tells a finished folder: the digest of all that decides its pictures, and their paths. */
interface Stamp {
  readonly digest: string;
  readonly paths: readonly string[];
}

export interface RenderCarriedOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each picture. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** How the packages of pictures are found; default: Node's resolution. */
  readonly resolve?: Resolve | undefined;
}

export interface CarriedDataset {
  /** The data set's root, absolute: `train/<class>/<style>-<name>.png` and `val/...`. */
  readonly root: string;
  readonly images: number;
  /** Pictures drawn by this call: `images`, or 0 where the folder was complete. */
  readonly rendered: number;
}

/** The committed list of the carried data set: class -> names of its emoji, the same in all styles. */
export async function carriedClasses(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(new URL('../../data/emoji/classes.json', import.meta.url), 'utf8');
  const { classes } = JSON.parse(text) as { classes: Record<string, { emoji: string[] }> };
  return new Map(Object.entries(classes).map(([label, { emoji }]) => [label, emoji]));
}

interface Picture {
  readonly path: string;
  readonly set: IconSet;
  readonly name: string;
}

async function listPictures(resolve: Resolve): Promise<Picture[]> {
  const classes = await carriedClasses();
  const perStyle = CARRIED_STYLES.map(async ({ style, packageName, split }) => {
    const set = await findIconSet(packageName, resolve);
    return [...classes].flatMap(([label, names]) =>
      names.map((name) => ({ path: `${split}/${label}/${style}-${name}.png`, set, name })),
    );
  });
  return (await Promise.all(perStyle)).flat();
}

async function filesUnder(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  }
}

async function readStamp(folder: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, STAMP), 'utf8')) as Stamp;
  } catch (cause) {
    // Written before the folder gets its name, so a stamp is whole or absent; an unreadable one is no stamp.
    if (cause instanceof SyntaxError || (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

function checkSignal(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new PermafrostError(
      'INTERRUPTED',
      'Interrupted while drawing the carried data set; nothing was kept.',
      {
        cause: signal.reason,
      },
    );
  }
}

async function draw(
  pictures: readonly Picture[],
  folder: string,
  options: RenderCarriedOptions,
): Promise<void> {
  const draws = new Map<IconSet, ReturnType<IconSet['load']>>();
  for (const { set } of pictures) if (!draws.has(set)) draws.set(set, set.load());
  for (const path of new Set(pictures.map((picture) => dirname(picture.path)))) {
    await mkdir(join(folder, path), { recursive: true });
  }
  // A generator, because a worker that throws closes it: the others then stop after the picture in hand.
  const queue = (function* (): Generator<Picture> {
    yield* pictures;
  })();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (const { path, set, name } of queue) {
      checkSignal(options.signal);
      const svg = (await draws.get(set)!)(name, SIZE);
      await writeFile(join(folder, path), await renderSvg(svg));
      options.onProgress?.(++done, pictures.length);
    }
  };
  // Settled, not all: nobody may still be writing when the caller removes the folder.
  const outcomes = await Promise.allSettled(Array.from({ length: IN_FLIGHT }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/**
 * Draws the data set that the project carries into `folder`: emoji of ten Unicode subgroups (data/emoji/classes.json), two drawing
 * styles to train on and a third to validate on, 224 x 224 RGB PNG files on white. The same packages give the same bytes.
 * A complete folder is left as it is; an incomplete or outdated one is drawn anew and put in place whole.
 * Throws PACKAGE_MISSING without the packages of pictures, INTERRUPTED on abort, and DATASET_LAYOUT rather than
 * replace a folder that has files of somebody else.
 */
export async function renderCarriedDataset(
  folder: string,
  options: RenderCarriedOptions = {},
): Promise<CarriedDataset> {
  const root = absolute(folder);
  const pictures = await listPictures(options.resolve ?? resolveInstalled);
  const paths = pictures.map((picture) => picture.path);
  const versions = new Set(pictures.map(({ set }) => `${set.packageName}@${set.version}`));
  const digest = sha256Hex(canonicalJson({ paths, size: SIZE, versions: [...versions] }));

  const stamp = await readStamp(root);
  const present = new Set(await filesUnder(root));
  if (stamp?.digest === digest && paths.every((path) => present.has(path))) {
    return { root, images: paths.length, rendered: 0 };
  }
  const ours = new Set([...paths, ...(stamp?.paths ?? []), STAMP]);
  const foreign = [...present].find((path) => !ours.has(path));
  if (foreign !== undefined) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${root} has to be drawn anew but holds "${foreign}", which is not part of the carried data set. Move it away or name another folder.`,
    );
  }

  const unfinished = `${root}.drawing-${process.pid}`;
  try {
    await draw(pictures, unfinished, options);
    await writeFile(join(unfinished, STAMP), JSON.stringify({ digest, paths } satisfies Stamp));
    checkSignal(options.signal);
    await rm(root, { recursive: true, force: true });
    await rename(unfinished, root);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return { root, images: paths.length, rendered: paths.length };
}
