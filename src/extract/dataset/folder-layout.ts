import { few, PermafrostError } from '../../core/errors.ts';
import type { Split } from '../../core/sample.ts';
import { placeOf } from '../source/place.ts';
import { isListName } from './dataset-manifest.ts';
import { unwrapped, within, type ImageTree } from './image-tree.ts';
import { labelOf, lookalikes } from './labels.ts';
import { requireClasses } from './require-classes.ts';
import { mentionsSplit, readAsSplits, splitsNamed } from './split-names.ts';

export const LAYOUT_HELP =
  'Expected Train/ and Val/ with one sub-folder a class, or one folder of class folders, or a .csv or .jsonl (.tsv, .ndjson) with path, label and split, or .tar or .parquet files with images.';

/** A folder whose sub-folders are the classes of one split. Paths are relative to the data set; '' is its root. */
export interface ClassParent {
  readonly path: string;
  readonly split: Split;
}

/** Where a data set's classes lie, and what the user should know about how the folders were read. */
export interface Layout {
  /** The folder that holds the splits or classes: '' or one that is wrapped around them. */
  readonly root: string;
  readonly parents: readonly ClassParent[];
  readonly warnings: readonly string[];
}

/** That a list beside images may be what names their classes, in parentheses; nothing without one. */
export function listHint(files: readonly string[]): string {
  const lists = files.filter(isListName);
  return lists.length > 0 ? ` (unless ${few(lists)} does: give it, with columns path and label)` : '';
}

const refuse = (message: string): never => {
  throw new PermafrostError('DATASET_LAYOUT', message);
};

/** Names that number the parts of one data set: images_part_1, fold2. */
const PART = /(^|[^\p{L}])(part|fold|batch|chunk|shard|volume|session)[^\p{L}]*\d+$/iu;

/** Words for folders of images that nobody has labelled. */
const NO_CLASS = /^(un(known|label+ed|classified|sorted)|images?|imgs?|data|all|none|dummy|no[ _-]?(class|label)|0)$/i;

/** The folder of a split that has no labels: itself, or the one folder in it, which is no class of train. */
async function unlabelledFolder(
  tree: ImageTree,
  { path, split }: ClassParent,
  classes: readonly string[],
): Promise<string | undefined> {
  const own = (await tree.list(path)).images.length;
  const folders = await tree.foldersWithImages(path);
  if (folders.length === 0) return own > 0 ? path : undefined;
  const only = folders[0]!;
  if (folders.length > 1) return undefined;
  // A class that is spelt in another way is an error to tell, not a folder without labels.
  if (lookalikes([...classes, only].map(labelOf)).length > lookalikes(classes.map(labelOf)).length) return undefined;
  if (classes.map(labelOf).includes(labelOf(only))) return undefined;
  if (split === 'val' && !NO_CLASS.test(only) && !mentionsSplit(only)) return undefined;
  let inner = within(path, only);
  while ((await tree.list(inner)).images.length === 0) inner = within(inner, (await tree.foldersWithImages(inner))[0]!);
  return inner;
}

async function splitLayout(
  tree: ImageTree,
  where: string,
  { root, named, others }: { root: string; named: ReadonlyMap<string, Split>; others: readonly string[] },
): Promise<Layout> {
  const warnings: string[] = [];
  const folderOf = new Map<Split, string>();
  for (const [name, split] of named) {
    const twin = folderOf.get(split);
    if (twin !== undefined)
      refuse(`${placeOf(where, root)} has two folders for the split ${split}: ${twin} and ${name}. Keep one.`);
    folderOf.set(split, name);
  }
  const train = folderOf.get('train');
  if (train === undefined) {
    const inner = others.map((name) => within(root, name));
    const whole: string[] = [];
    for (const path of inner) {
      const base = await unwrapped(tree, path);
      if ([...splitsNamed(await tree.foldersWithImages(base)).values()].includes('train'))
        whole.push(placeOf(where, base));
    }
    const advice =
      whole.length > 0
        ? `${few(whole)} holds a Train folder: give that one.`
        : 'Add the training images as Train/ with a sub-folder a class. A class that is called so holds its images itself.';
    return refuse(
      `${placeOf(where, root)} has ${few([...named.keys()])} but no Train folder${others.length > 0 ? ` (beside ${few(others)})` : ''}. ${advice} ${LAYOUT_HELP}`,
    );
  }
  const read = readAsSplits(named);
  if (read !== undefined) warnings.push(`Folders are read as splits: ${read}.`);
  if (others.length > 0) warnings.push(`Ignored folders beside the splits: ${few(others)}.`);
  const parents: ClassParent[] = [];
  const unlabelled: { folder: string; path: string }[] = [];
  let classes: readonly string[] = [];
  for (const split of ['train', 'val', 'test'] as const) {
    const name = folderOf.get(split);
    if (name === undefined) continue;
    const folder = within(root, name);
    const path = await unwrapped(tree, folder, (inner) => classes.includes(inner));
    if (path !== folder) warnings.push(`The classes of ${folder} lie in ${path}.`);
    const { images } = await tree.list(path);
    const without = split === 'train' ? undefined : await unlabelledFolder(tree, { path, split }, classes);
    if (images.length > 0 && split === 'train') {
      refuse(
        `${placeOf(where, path)} holds ${images.length} images that are in no class folder (${few(images, 3)}). Move each into a sub-folder named for its class, or list path and label in a .csv.`,
      );
    }
    if (images.length > 0 && without !== path)
      warnings.push(
        `Ignored ${images.length} images in ${path} beside its folders, which have no class: ${few(images)}.`,
      );
    if (without !== undefined) {
      unlabelled.push({ folder, path: without });
      continue;
    }
    if (split === 'train') classes = await tree.foldersWithImages(path);
    parents.push({ path, split });
  }
  const used = parents.map(({ split }) => split).join(' and ');
  for (const { folder, path } of unlabelled) {
    const { images } = await tree.list(path);
    const lie = path === folder ? 'in no class folder' : `in ${path}, which is no class of train`;
    warnings.push(
      `${folder} has no labels: its ${images.length === 1 ? 'one image lies' : `${images.length} images lie`} ${lie} (${few(images, 3)}). It is left out; ${used} ${parents.length > 1 ? 'are' : 'is'} used. A head can label them: permafrost predict HEAD-FILE ${placeOf(where, path)}`,
    );
  }
  return { root, parents, warnings };
}

/**
 * Tells the classes of a folder from its splits and from what is wrapped around them, by names and by content: a split
 * has class folders with images, a class has images itself. Throws DATASET_LAYOUT where that is not clear.
 */
export async function findLayout(tree: ImageTree, where: string): Promise<Layout> {
  const warnings: string[] = [];
  const top = await tree.foldersWithImages('');
  const isSplit = (name: string): boolean => splitsNamed([name]).size > 0;
  const root = await unwrapped(tree, '', isSplit);
  if (root !== '') warnings.push(`The data set lies in ${root}, the one folder with images in ${where}.`);
  const folders = root === '' ? top : await tree.foldersWithImages(root);
  const found = splitsNamed(folders);
  const facts = new Map<string, { images: number; folders: number }>();
  for (const name of found.keys()) {
    const path = within(root, name);
    const images = (await tree.list(path)).images.length;
    facts.set(name, { images, folders: (await tree.foldersWithImages(path)).length });
  }
  const others = folders.filter((name) => !found.has(name));
  const parted = [...found.keys()].filter((name) => facts.get(name)!.folders > 0);
  const flat = [...found.keys()].filter((name) => facts.get(name)!.folders === 0);
  const lone = parted.length === 1 && found.size === 1 && others.length > 0 ? parted[0]! : undefined;
  if (parted.length > 0 && !(lone !== undefined && facts.get(lone)!.images > 0)) {
    if (lone !== undefined && found.get(lone) === 'train') {
      refuse(
        `${placeOf(where, root)} can be read in two ways: ${lone} is a split with classes (${few(await tree.foldersWithImages(within(root, lone)))}), or a class as ${few(others)}. For the first, give ${placeOf(where, within(root, lone))}; for the second, put the images of ${lone} right into it.`,
      );
    }
    const empty = (await tree.list(root)).folders.filter((name) => !folders.includes(name));
    const layout = await splitLayout(tree, where, { root, named: found, others });
    for (const { path } of layout.parents) await requireClasses(tree, where, path);
    const hollow = empty.length > 0 ? [`Folders without an image beside the splits: ${few(empty)}.`] : [];
    return { root, parents: layout.parents, warnings: [...warnings, ...layout.warnings, ...hollow] };
  }
  if (flat.length > 0) {
    if (others.length === 0 || (flat.length > 1 && flat.some((name) => found.get(name) === 'train'))) {
      refuse(
        `${flat.map((name) => placeOf(where, within(root, name))).join(', ')}: ${flat.length > 1 ? 'these splits hold' : 'this split holds'} images that are in no class folder, so nothing says what they show${listHint((await tree.list(root)).others)}. Move each into a sub-folder named for its class, or list path, label and split in a .csv.`,
      );
    }
  }
  if (found.size > 0)
    warnings.push(`Taken for a class, not for a split, because images lie right in it: ${few([...found.keys()])}.`);
  if (folders.length > 1 && folders.every((name) => PART.test(name)))
    warnings.push(`These are taken for classes, but are named as parts of one data set: ${few(folders)}.`);
  await requireClasses(tree, where, root);
  return { root, parents: [{ path: root, split: 'train' }], warnings };
}
