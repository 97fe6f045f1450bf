import { html, type Markup, type Content } from './markup.ts';
import { linearScale, type AxisScale } from './scale.ts';

export interface FrameOptions {
  readonly width: number;
  readonly height: number;
  readonly x: { readonly domain: readonly [number, number]; readonly title: string };
  readonly y: { readonly domain: readonly [number, number]; readonly title: string };
  /** What the picture shows, for who does not see it. */
  readonly label: string;
}

const [LEFT, RIGHT, TOP, BOTTOM] = [52, 12, 10, 42];

/** A plot with two axes; `draw` gets the scales and gives what stands within. */
export function plotFrame(
  { width, height, x, y, label }: FrameOptions,
  draw: (x: AxisScale, y: AxisScale) => Content,
): Markup {
  const across = linearScale(x.domain, [LEFT, width - RIGHT]);
  const up = linearScale(y.domain, [height - BOTTOM, TOP]);
  const middle = (TOP + height - BOTTOM) / 2;
  return html`<svg
    class="plot"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${width} ${height}"
    width="${width}"
    height="${height}"
  >
    <g class="grid">${up.ticks.map(({ value }) => html`<path d="M${LEFT} ${up.at(value)}H${width - RIGHT}" />`)}</g>
    <g class="axis" text-anchor="end">
      ${up.ticks.map(({ value, text }) => html`<text x="${LEFT - 8}" y="${up.at(value) + 4}">${text}</text>`)}
    </g>
    <g class="axis" text-anchor="middle">
      ${across.ticks.map(({ value, text }) => html`<text x="${across.at(value)}" y="${height - BOTTOM + 18}">${text}</text>`)}
      <text x="${(LEFT + width - RIGHT) / 2}" y="${height - 6}">${x.title}</text>
      <text transform="translate(12 ${middle}) rotate(-90)">${y.title}</text>
    </g>
    <path class="frame" d="M${LEFT} ${TOP}V${height - BOTTOM}H${width - RIGHT}" />
    ${draw(across, up)}
  </svg>`;
}
