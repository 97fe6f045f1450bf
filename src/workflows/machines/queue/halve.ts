/** More images of one unit than this do not crash by themselves: the machine does, and no image is blamed. */
export const MOST_CRASHING = 8;

/** Times that an image alone must end the process before it is blamed. */
const ALONE = 2;

/**
 * Positions of the images from `from` up to `to` that end the process each by itself, found by halving; at most
 * MOST_CRASHING + 1 of them. `crashes` tells whether a process lives through a range. Empty where each half is lived
 * through, or where an image did it once only.
 */
export async function crashingPositions(
  from: number,
  to: number,
  crashes: (from: number, to: number) => Promise<boolean>,
): Promise<number[]> {
  if (to - from === 1) {
    for (let time = 1; time < ALONE; time++) if (!(await crashes(from, to))) return [];
    return [from];
  }
  const middle = from + Math.ceil((to - from) / 2);
  const found: number[] = [];
  for (const [start, end] of [
    [from, middle],
    [middle, to],
  ] as const) {
    if (found.length > MOST_CRASHING) break;
    if (await crashes(start, end)) found.push(...(await crashingPositions(start, end, crashes)));
  }
  return found.slice(0, MOST_CRASHING + 1);
}
