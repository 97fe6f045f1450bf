import {
  line,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { html, type Markup } from './markup.ts';

const SYMBOLS = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];

/** Colours of style.ts' classes `c0` to `c6`. */
const COLOURS = 7;

/** A sign that tells a group apart by colour and by shape: `c` of the classes c0..c6, `s` of the symbols s0..s6. */
export interface Sign {
  readonly c: number;
  readonly s: number;
}

/** Groups that have signs of their own; from there on signs come again. */
export const SIGNS = COLOURS * SYMBOLS.length;

/** The sign of group i: the first seven differ in both, the first SIGNS in one at least. */
export function signOf(i: number): Sign {
  return { c: i % COLOURS, s: (i + Math.floor(i / COLOURS)) % SYMBOLS.length };
}

/** The outlines of the shapes s0..s6. Area in square pixels. */
export function signPaths(area: number): string[] {
  return SYMBOLS.map((type) => symbol(type, area).digits(1)() ?? '');
}

/** The shapes s0..s6, once in a page, for `use` elements to draw. Area in square pixels. */
export function symbolDefinitions(area: number): Markup {
  const paths = signPaths(area).map((path, i) => html`<path id="s${i}" d="${path}" />`);
  return html`<svg class="hidden" width="0" height="0" aria-hidden="true"><defs>${paths}</defs></svg>`;
}

/** The path of a line through points in pixels. */
export function linePath(points: readonly (readonly [x: number, y: number])[]): string {
  return line<readonly [number, number]>().digits(1)(points as [number, number][]) ?? '';
}

/** A sign in a line of text. */
export function inlineSign({ c, s }: Sign): Markup {
  return html`<svg class="sign" width="16" height="16" viewBox="-8 -8 16 16" aria-hidden="true">
    <use href="#s${s}" class="c${c}" />
  </svg>`;
}
