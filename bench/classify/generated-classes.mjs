// @ts-check
// Rows like pooled features of a network: each class a mixture of three Gaussian clusters, negative values cut off.
import { random } from '../../dist/core/random.js';
import { matrix } from '../../dist/index.js';

/**
 * A source of rows of `classes` classes. A class' clusters lie `apart` from a common point, so that classes overlap.
 * @param {{ classes: number, cols?: number, apart?: number, seed: number }} options
 */
export function generatedClasses({ classes, cols = 64, apart = 0.55, seed }) {
  const source = random(seed);
  const names = Array.from({ length: classes }, (_, c) => `class ${c}`);
  const base = Float64Array.from({ length: cols }, () => source.normal());
  const clusters = names.map(() => {
    const centre = base.map((value) => value + apart * source.normal());
    return Array.from({ length: 3 }, () => centre.map((value) => value + 0.5 * apart * source.normal()));
  });
  return {
    names,
    /** `count` rows of each class of `of`, drawn by a seed. @param {readonly string[]} of @param {number} count @param {number} seed */
    rows(of, count, seed) {
      const draw = random(seed);
      const y = Array.from({ length: count * of.length }, (_, i) => of[i % of.length] ?? '');
      const X = matrix(y.length, cols);
      y.forEach((name, i) => {
        const own = clusters[names.indexOf(name)] ?? [];
        const centre = own[draw.below(own.length)] ?? base;
        for (let j = 0; j < cols; j++) X.data[i * cols + j] = Math.max(0, (centre[j] ?? 0) + draw.normal());
      });
      return { X, y };
    },
  };
}
