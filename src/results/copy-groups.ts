import type { CheckResult } from './check-result.ts';

/** Groups of copies that a report shows as pictures, under each heading. */
export const MOST_CARDS = 12;
/** Copies of one group that are shown or named. */
export const MOST_OF_GROUP = 12;

/** What a report tells of copies, heading by heading: a group that is a leak stands there alone. */
export function copyGroups({ exact, near, alike, leaks }: CheckResult) {
  const key = (paths: readonly string[]): string => JSON.stringify([...paths].sort());
  const leaked = new Set(leaks.map(({ train, held }) => key([train, held])));
  const isNoLeak = ({ paths }: { readonly paths: readonly string[] }): boolean => !leaked.has(key(paths));
  return {
    leaks: leaks.map((leak) => ({ paths: [leak.held, leak.train], leak })),
    exact: exact.map((paths) => ({ paths })).filter(isNoLeak),
    near: near.map((pair) => ({ paths: [pair.a, pair.b], pair })).filter(isNoLeak),
    alike: alike.map(({ a, b, cosine }) => ({ paths: [a, b], cosine })),
  };
}

/** Paths of the images that are shown there. */
export function shownCopies(check: CheckResult): string[] {
  const { leaks, exact, near, alike } = copyGroups(check);
  return [leaks, exact, near, alike].flatMap((groups) =>
    groups.slice(0, MOST_CARDS).flatMap(({ paths }) => paths.slice(0, MOST_OF_GROUP)),
  );
}
