/** A share of one as a percentage. */
export const percent = (value: number, digits = 1): string =>
  Number.isNaN(value) ? 'n/a' : `${(100 * value).toFixed(digits)} %`;

/** Whole numbers with separated thousands. */
export const count = (value: number): string => value.toLocaleString('en-US');

/** A figure of four digits; JSON keeps no NaN, so null may stand for it. */
export const figure = (value: number | null): string =>
  value === null || Number.isNaN(value) ? 'n/a' : value.toFixed(4);

/** The first `most` of `items`, and a sentence about the rest where there is one. */
export function firstOf<T>(items: readonly T[], most: number): { shown: readonly T[]; rest: string } {
  const left = items.length - most;
  return { shown: items.slice(0, most), rest: left > 0 ? `And ${count(left)} more, not shown here.` : '' };
}
