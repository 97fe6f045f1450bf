/** Labels of a series, in one order for each metric. */
export type Labels = Readonly<Record<string, string>>;

/** One metric of the Prometheus text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */
export interface Metric {
  /** Its lines: help, type, a line a series. */
  text(): string;
}

export const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function seriesOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const textOf = (name: string, help: string, type: string, lines: Iterable<readonly [string, number]>): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...[...lines].map((line) => line.join(' ')), ''].join('\n');

/** What only grows. */
export function counter(name: string, help: string): Metric & { add(labels: Labels): void } {
  const values = new Map<string, number>();
  return {
    add(labels) {
      const series = name + seriesOf(labels);
      values.set(series, (values.get(series) ?? 0) + 1);
    },
    text: () => textOf(name, help, 'counter', values),
  };
}

/** What is read when it is asked for; `type` counter where it only grows. */
export const reading = (name: string, help: string, read: () => number, type = 'gauge'): Metric => ({
  text: () => textOf(name, help, type, [[name, read()]]),
});

/** What there is: a series of 1 each, told by its labels. */
export const info = (name: string, help: string, read: () => readonly Labels[]): Metric => ({
  text() {
    const lines = read().map((labels) => [name + seriesOf(labels), 1] as const);
    return textOf(name, help, 'gauge', lines);
  },
});

/** How values are spread: of each bound how many were at most that. */
export function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
): Metric & { observe(value: number): void } {
  const counts = bounds.map(() => 0);
  let sum = 0;
  let count = 0;
  return {
    observe(value) {
      for (const [i, bound] of bounds.entries()) if (value <= bound) counts[i]!++;
      sum += value;
      count++;
    },
    text() {
      const buckets = [...bounds.map(String), '+Inf'].map((le) => `${name}_bucket${seriesOf({ le })}`);
      const lines = buckets.map((series, i) => [series, counts[i] ?? count] as const);
      return textOf(name, help, 'histogram', [...lines, [`${name}_sum`, sum], [`${name}_count`, count]]);
    },
  };
}
