import { html, type Markup } from './markup.ts';
import { percent } from './numbers.ts';
import { linearScale, type AxisScale } from './scale.ts';

const BAR = { width: 120, height: 12 } as const;

/** Pixels of a drawn interval; scales for it end short of the sides, so that no dot is cut. */
export const SPAN = { width: 180, height: 18, range: [4, 176] } as const;

/** A share of one as a bar with its number; `colour` is a class of the style. */
export function bar(share: number, colour: string, words: string = percent(share)): Markup {
  const { width, height } = BAR;
  return html`<span class="together"
    ><svg class="bar" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-hidden="true">
      <rect class="track" width="${width}" height="${height}" />
      <rect class="${colour}" width="${Math.round(share * width)}" height="${height}" />
    </svg>
    ${words}</span
  >`;
}

/** A value in its interval, with a dashed line at `guide`. */
export function span(value: number, interval: readonly [number, number], scale: AxisScale, guide: number): Markup {
  const { width, height } = SPAN;
  const middle = height / 2;
  return html`<svg
    class="interval"
    width="${width}"
    height="${height}"
    viewBox="0 0 ${width} ${height}"
    aria-hidden="true"
  >
    <path class="guide" d="M${scale.at(guide)} 0V${height}" />
    <path class="span" d="M${scale.at(interval[0])} ${middle}H${scale.at(interval[1])}" />
    <circle class="dot" cx="${scale.at(value)}" cy="${middle}" r="4" />
  </svg>`;
}

/** An axis of accuracies that holds their intervals: where it begins, a multiple of 0.05, and its scale. */
export function accuracyAxis(heads: readonly { readonly interval: readonly [number, number] }[]): {
  readonly least: number;
  readonly scale: AxisScale;
} {
  const least = Math.floor(Math.min(...heads.map(({ interval }) => interval[0])) * 20) / 20;
  return { least, scale: linearScale([least, 1], SPAN.range) };
}
