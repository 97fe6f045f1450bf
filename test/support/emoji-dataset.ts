import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readIconSet } from '../../src/extract/image/icon-set.ts';
import { renderSvg } from '../../src/extract/image/render-svg.ts';
import { bundledClasses } from '../../src/workflows/network/bundled-dataset.ts';

const STYLES = [
  ['twemoji', 'train'],
  ['noto', 'train'],
  ['fluent', 'val'],
] as const;

/** Draws the first `each` emoji of some classes in three styles, two to train on: a small data set of real pictures. */
export async function emojiDataset(root: string, labels: readonly string[], each: number): Promise<string> {
  const classes = await bundledClasses();
  for (const [style, split] of STYLES) {
    const set = await readIconSet(new URL(`../../data/emoji/${style}.json`, import.meta.url));
    for (const label of labels)
      for (const name of classes.get(label)!.slice(0, each)) {
        const path = join(root, split, label, `${style}-${name}.png`);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, await renderSvg(set.draw(name, 112)));
      }
  }
  return root;
}
