import { scaleLinear } from 'd3-scale';

/** About so many round values. */
const TICKS = 5;

/** A linear axis: values to pixels, and the round values that are written beside it. */
export interface AxisScale {
  readonly at: (value: number) => number;
  readonly ticks: readonly { readonly value: number; readonly text: string }[];
}

/** Values in `domain` to pixels in `range`, two decimals at most. */
export function linearScale(domain: readonly [number, number], range: readonly [number, number]): AxisScale {
  const scale = scaleLinear().domain(domain).range(range);
  const text = scale.tickFormat(TICKS);
  return {
    at: (value) => Math.round(scale(value) * 100) / 100,
    ticks: scale.ticks(TICKS).map((value) => ({ value, text: text(value) })),
  };
}
