import { scaleLinear } from 'd3-scale';

/** A linear axis: values to pixels, and the round values that are written beside it. */
export interface AxisScale {
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

/** Values in `domain` to pixels in `range`, two decimals at most; `nice` widens the domain to round numbers. */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  { ticks = 5, nice = false, format }: { ticks?: number; nice?: boolean; format?: string } = {},
): AxisScale {
  const scale = scaleLinear().domain(domain).range(range);
  if (nice) scale.nice(ticks);
  const text = scale.tickFormat(ticks, format);
  return {
    at: (value) => Math.round(scale(value) * 100) / 100,
    ticks: scale.ticks(ticks).map((value) => ({ value, text: text(value) })),
  };
}
