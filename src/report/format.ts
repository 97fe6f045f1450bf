import { plural } from '../core/words.ts';
import type { CosineToFp32 } from '../results/extract-result.ts';

/** `12.3 MiB` and the like; binary units. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [n, 0];
  // 1023.95 would be shown as 1024.0.
  while (value >= (unit === 0 ? 1024 : 1023.95) && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds with a unit that keeps three digits. */
export function milliseconds(ms: number): string {
  if (ms >= 9999.5) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 99.95 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
}

/** Seconds as `48.1 s` or `3 min 5 s`. */
export function seconds(s: number): string {
  if (s < 99.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** A rate of four digits. */
export const ratio = (value: number): string => value.toFixed(4);

/** A ratio with its sign. */
export const signed = (value: number): string => `${value < 0 ? '' : '+'}${ratio(value)}`;

/** Four significant digits, without an exponent where that is short. */
export const significant = (value: number): string => String(Number(value.toPrecision(4)));

/** How near int8 features are to those of fp32: the least of a sample bounds no other image, only a share of them. */
export function cosineText({ images, min, mean }: CosineToFp32): string {
  const share = 100 * (1 - 0.05 ** (1 / images));
  return `cosine to fp32: least of ${plural(images, 'image')} ${ratio(min)}, mean ${ratio(mean)} (of all images up to ${share.toFixed(0)} % may lie lower, with 95 % confidence)`;
}

export { plural };

/** Features and their normalisation, with room for a line break between parts that stand side by side. */
export const featuresText = ({ pooling, normalize }: Record<'pooling' | 'normalize', string>): string =>
  `${pooling.replaceAll(',', ' + ')}, ${normalize}`;

/** Hyper-parameters as `C=10 tol=0.0001`. */
export function parameters(params: Readonly<Record<string, number | string | boolean>>): string {
  return Object.entries(params)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
