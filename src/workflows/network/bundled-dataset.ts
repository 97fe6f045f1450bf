import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve as absolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalJson, sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { readIconSet, type IconSet } from '../../extract/image/icon-set.ts';
import { renderSvg } from '../../extract/image/render-svg.ts';
import type { Work } from '../work.ts';
import { generate, isComplete } from './generated-folder.ts';
import { progressMeter } from '../progress-meter.ts';

/** The drawing styles and the split of each: the style that is validated on is not trained on. */
export const BUNDLED_STYLES = [
  { style: 'twemoji', split: 'train' },
  { style: 'noto', split: 'train' },
  { style: 'fluent', split: 'val' },
] as const;

/** The list of the classes, and a file of pictures a style (data/emoji/take-pictures.mjs made them). */
const PICTURES = fileURLToPath(new URL('../../../data/emoji', import.meta.url));

/** Side of a picture in pixels: what VGG16 takes, so that no resize follows. */
const SIZE = 224;
/** Pictures in flight: the size of libuv's thread pool, on which sharp draws. */
const IN_FLIGHT = 4;

export interface RenderBundledOptions extends Work {
  /** The folder with a file of pictures a style; default: the one that comes with permafrost. */
  readonly pictures?: string | undefined;
}

export interface BundledDataset {
  /** The data set's root, absolute: `train/<class>/<style>-<name>.png` and `val/...`. */
  readonly root: string;
  readonly images: number;
  /** Pictures drawn by this call: `images`, or 0 where the folder was complete. */
  readonly rendered: number;
}

/** The committed list of the bundled data set: class -> names of its emoji, the same in all styles. */
export async function bundledClasses(): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = await readFile(join(PICTURES, 'classes.json'), 'utf8');
  const { classes } = JSON.parse(text) as { classes: Record<string, { emoji: string[] }> };
  return new Map(Object.entries(classes).map(([label, { emoji }]) => [label, emoji]));
}

interface Picture {
  readonly path: string;
  readonly set: IconSet;
  readonly name: string;
}

async function listPictures(folder: string): Promise<Picture[]> {
  const classes = await bundledClasses();
  const perStyle = BUNDLED_STYLES.map(async ({ style, split }) => {
    const set = await readIconSet(join(folder, `${style}.json`));
    return [...classes].flatMap(([label, names]) =>
      names.map((name) => ({ path: `${split}/${label}/${style}-${name}.png`, set, name })),
    );
  });
  return (await Promise.all(perStyle)).flat();
}

async function drawAll(pictures: readonly Picture[], folder: string, { signal, listener }: Work): Promise<void> {
  for (const path of new Set(pictures.map((picture) => dirname(picture.path)))) {
    await mkdir(join(folder, path), { recursive: true });
  }
  const meter = progressMeter('drawing', pictures.length, listener);
  // A generator, because a worker that throws closes it: the others then stop after the picture in hand.
  const queue = (function* (): Generator<Picture> {
    yield* pictures;
  })();
  const worker = async (): Promise<void> => {
    for (const { path, set, name } of queue) {
      if (signal?.aborted === true) {
        throw new PermafrostError('INTERRUPTED', 'Drawing the bundled data set was interrupted.', {
          cause: signal.reason,
        });
      }
      await writeFile(join(folder, path), await renderSvg(set.draw(name, SIZE)));
      meter.advance(1, 1);
    }
  };
  // Settled, not all: nobody may still be writing when the caller removes the folder.
  const outcomes = await Promise.allSettled(Array.from({ length: IN_FLIGHT }, worker));
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}

/**
 * Draws the bundled data set into `folder`: emoji of ten Unicode subgroups (data/emoji/classes.json), two styles to
 * train on and a third to validate on, 224 x 224 RGB PNG on white. The same pictures give the same bytes. A complete
 * folder stays; another is drawn anew and put in place whole. Throws PACKAGE_MISSING without the files of pictures,
 * INTERRUPTED, DATASET_LAYOUT rather than replace somebody else's files, STORE_WRITE.
 */
export async function renderBundledDataset(
  folder: string,
  options: RenderBundledOptions = {},
): Promise<BundledDataset> {
  const pictures = await listPictures(options.pictures ?? PICTURES);
  const paths = pictures.map(({ path }) => path);
  const versions = [...new Set(pictures.map(({ set }) => set.source))];
  const digest = sha256Hex(canonicalJson({ paths, size: SIZE, versions }));
  const target = { root: absolute(folder), digest, paths };
  const complete = await isComplete(target);
  if (!complete) await generate(target, (unfinished) => drawAll(pictures, unfinished, options));
  return { root: target.root, images: paths.length, rendered: complete ? 0 : paths.length };
}
