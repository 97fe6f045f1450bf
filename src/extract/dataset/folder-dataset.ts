import { basename } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import type { Failure, Sample } from '../../core/sample.ts';
import { archiveKind } from '../archives/archive-place.ts';
import { placeOf } from '../source/place.ts';
import { isListName } from './dataset-manifest.ts';
import { findLayout, LAYOUT_HELP, listHint, type ClassParent } from './folder-layout.ts';
import { within, type ImageTree } from './image-tree.ts';
import { spellings } from './labels.ts';

/** A name that is no UTF-8 cannot be opened: Node turns each such byte into U+FFFD. */
export const illegible = (path: string): Failure => ({
  path,
  code: 'IMAGE_UNREADABLE',
  reason: 'Its name is not valid UTF-8 (the bytes that are not are shown as \\xNN). Rename it.',
});

/** What a folder holds: images, what the user should know, names that cannot be opened. */
export interface Found {
  readonly samples: Sample[];
  readonly warnings: string[];
  readonly failures: Failure[];
}

/** The class folders in one folder as samples. */
async function addClasses(
  where: string,
  tree: ImageTree,
  { path, split }: ClassParent,
  found: Found & { labels: ReturnType<typeof spellings> },
): Promise<void> {
  const { folders, illegible: odd } = await tree.list(path);
  for (const name of odd) found.failures.push(illegible(within(path, name)));
  const prefix = path === '' ? '' : `${path}/`;
  const below = await tree.imagesBelow(prefix, folders);
  for (const name of below.illegible) found.failures.push(illegible(name));
  for (const [folder, paths] of below.images) {
    if (paths.length === 0) continue;
    const label = found.labels.label(folder);
    if (label === '') {
      throw new PermafrostError(
        'DATASET_LAYOUT',
        `${JSON.stringify(placeOf(where, prefix + folder))} has a name of blanks, and is to be the name of a class. Rename it.`,
      );
    }
    // One by one: hundreds of thousands of arguments are more than a call may have.
    for (const image of paths) found.samples.push({ path: image, label, split });
  }
  const empty = folders.filter((folder) => below.images.get(folder)!.length === 0).map((folder) => prefix + folder);
  if (empty.length > 0) found.warnings.push(`Folders without an image, which are no class: ${few(empty)}.`);
  if (below.deeper.length > 0)
    found.warnings.push(`Images in deeper folders count for the class above them: ${few(below.deeper)}.`);
  if (below.ignored.length > 0)
    found.warnings.push(`Ignored ${below.ignored.length} that are no images: ${few(below.ignored)}.`);
}

export function leftOutWarnings({ leftOut: { folders, images } }: ImageTree): string[] {
  const told = (names: ReadonlySet<string>, what: string): string[] =>
    names.size === 0 ? [] : [`Left out ${names.size} ${names.size === 1 ? what : `${what}s`}: ${few([...names])}.`];
  return [...told(folders, 'hidden or system folder'), ...told(images, 'hidden image file')];
}

/**
 * The images of a tree whose folders are classes, or splits of classes. `where` is the data set, for messages. Throws
 * DATASET_EMPTY, DATASET_LAYOUT, DATASET_NOT_FOUND.
 */
export async function samplesOfTree(tree: ImageTree, where: string): Promise<Found> {
  const top = await tree.list('');
  const found = { samples: [] as Sample[], warnings: [] as string[], failures: [] as Failure[], labels: spellings() };
  const { samples, warnings, failures } = found;
  if (top.images.length > 0 && (await tree.foldersWithImages('')).length === 0) {
    throw new PermafrostError(
      'DATASET_LAYOUT',
      `${where} holds ${top.images.length} images and no class folders (${few(top.images, 3)}), so nothing says what they show${listHint(top.others)}. To train, move each image into a sub-folder named for its class, or list path and label in a .csv. Images without labels are for a head that is trained already: permafrost predict HEAD-FILE ${where}. ${LAYOUT_HELP}`,
    );
  }
  const layout = await findLayout(tree, where);
  warnings.push(...layout.warnings);
  const parents = new Set(layout.parents.map(({ path }) => path));
  for (const path of new Set(['', layout.root])) {
    const { images, others, illegible: odd } = await tree.list(path);
    const lists = others.filter(isListName).map((name) => within(path, name));
    if (lists.length > 0)
      warnings.push(
        `Lists beside the folders are not read: ${few(lists)}. To use one, give it as the data set or with --labels.`,
      );
    const archives = others.filter((name) => archiveKind(name) !== undefined).map((name) => within(path, name));
    if (archives.length > 0)
      warnings.push(
        `Archives beside the folders are not read: ${few(archives)}. To use them, give them as the data set.`,
      );
    if (images.length > 0) {
      const named = few(images.map((name) => within(path, name)));
      warnings.push(`Ignored ${images.length} images beside the folders, which have no class: ${named}.`);
    }
    // Those beside class folders are told with the classes.
    if (!parents.has(path)) for (const name of odd) failures.push(illegible(within(path, name)));
  }
  for (const parent of layout.parents) await addClasses(where, tree, parent, found);
  warnings.push(...found.labels.warnings(), ...leftOutWarnings(tree));
  if (samples.length === 0) {
    const seen = [
      ...top.folders.map((f) => `${f}/`),
      ...top.others,
      ...[...tree.leftOut.folders].map((f) => `${f}/ (left out)`),
    ];
    throw new PermafrostError(
      'DATASET_EMPTY',
      `${where} holds no images (found: ${seen.length > 0 ? few(seen) : `nothing in ${basename(where)}`}). ${LAYOUT_HELP}`,
    );
  }
  return { samples, warnings, failures };
}
