import { present, type ReportData } from '../../results/report-data.ts';
import { printable } from '../printable.ts';
import { colourings } from './parts/map-part.ts';

/**
 * What the page's script (client.js) shows on demand: images as [path, class, split, predicted class or -1,
 * probability], all numbers indices; classes in the order of the confusion matrix; neighbours as [image, distance];
 * thumbnails in base64 by image; for each colouring each group's sign [c, s], and the group of each image on the map.
 */
export function pageData(data: ReportData): object {
  const { images, judgement, thumbnails, map, store } = data;
  const labels = store.classes.map(({ label }) => label);
  const known = new Map(labels.map((label, i) => [label, i]));
  const index = (label: string): number => {
    const found = known.get(label);
    if (found !== undefined) return found;
    known.set(label, labels.length);
    return labels.push(label) - 1;
  };
  const splits = ['train', 'val', 'test'];
  const judged = new Map((present(judgement) ? judgement.judged : []).map((entry) => [entry.image, entry] as const));
  const round = (value: number): number => Math.round(value * 1e4) / 1e4;
  return {
    images: images.map(({ path, label, split }, i) => {
      const entry = judged.get(i);
      const place = [printable(path), index(label), splits.indexOf(split)];
      return entry === undefined ? place : [...place, index(entry.predicted), round(entry.probability)];
    }),
    classes: (present(judgement) ? judgement.classes : []).map(({ label }) => index(label)),
    labels: labels.map(printable),
    splits,
    isSample: images.length < store.images,
    neighbors: Object.fromEntries(
      [...judged].map(([image, { neighbors }]) => [image, neighbors.map((near) => [near.image, round(near.distance)])]),
    ),
    thumbnails: Object.fromEntries(thumbnails.data),
    colourings: present(map)
      ? Object.fromEntries(
          colourings(data).map(({ key, groups, groupOf }) => [
            key,
            {
              signs: groups.map(({ sign }) => [sign.c, sign.s]),
              groups: Object.fromEntries(map.images.map((image) => [image, groupOf(image)])),
            },
          ]),
        )
      : {},
  };
}
