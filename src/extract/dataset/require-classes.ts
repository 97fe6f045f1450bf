import { join } from 'node:path';
import { few, PermafrostError } from '../../core/errors.ts';
import { placeOf } from '../source/place.ts';
import { unwrapped, within, type ImageTree } from './image-tree.ts';
import { mentionsSplit, splitsNamed } from './split-names.ts';

const refuse = (message: string): never => {
  throw new PermafrostError('DATASET_LAYOUT', message);
};

/**
 * Refuses folders that are no classes although they stand where classes do: they hold no image themselves, but splits,
 * or the classes beside them once more, or all of them folders of the same names.
 */
export async function requireClasses(tree: ImageTree, where: string, path: string): Promise<void> {
  const folders = await tree.foldersWithImages(path);
  const hollow = new Map<string, readonly string[]>();
  for (const name of folders) {
    const inner = within(path, name);
    if ((await tree.list(inner)).images.length === 0)
      hollow.set(name, await tree.foldersWithImages(await unwrapped(tree, inner)));
  }
  const place = (name: string): string => placeOf(where, within(path, name));
  const beside = [...splitsNamed([...hollow.keys()]).keys()];
  if (beside.length > 1) {
    refuse(
      `${placeOf(where, path)} holds splits (${few(beside)}) where its classes are expected. Give that folder alone, or put all splits side by side.`,
    );
  }
  for (const [name, below] of hollow) {
    const splits = splitsNamed(below).size > 1;
    if (splits && (await tree.list(within(await unwrapped(tree, within(path, name)), below[0]!))).images.length > 0) {
      refuse(
        `${place(name)} holds splits (${few(below)}) that hold images. Splits stand above the classes: move the images into ${join('train', name)} and so on, or list path, label and split in a .csv.`,
      );
    }
    const again = below.filter((inner) => folders.includes(inner));
    if (splits || again.length > 1) {
      refuse(
        `${place(name)} holds no images itself but ${splits ? `splits (${few(below)})` : `folders named as those beside it (${few(again)})`}, so it is no class but a data set of its own. Give it alone, or move it away.`,
      );
    }
    if (below.length > 1 && mentionsSplit(name)) {
      const others = folders.filter((other) => other !== name);
      refuse(
        `${place(name)} is named as a split and holds ${below.length} folders (${few(below)}), but beside it are no splits: ${few(others)}. Name the splits train, val and test, or move the others away.`,
      );
    }
  }
  if (hollow.size < folders.length) return;
  const names = [...hollow.keys()];
  const several = [...hollow].filter(([, below]) => below.length > 1);
  for (const [i, [name, below]] of several.entries()) {
    for (const [, others] of several.slice(i + 1)) {
      const both = below.filter((inner) => others.includes(inner));
      if (both.length < 2) continue;
      refuse(
        `${placeOf(where, path)}: ${few(names)} hold no images themselves but folders of the same names (${few(both)}), so it is not clear what the classes are. If these are variants of one data set, give one of them (${place(name)}). If they are splits, name them train, val and test. If they are the classes, put the images right into them, or list path and label in a .csv.`,
      );
    }
  }
}
