/** Milliseconds of the past that a pace is measured over. */
const WINDOW_MS = 30_000;

/** What is done a second, over the last 30 seconds, or since the first count where that is less. */
export function paceOfLate(now: () => number = () => performance.now()) {
  /** What was done in all, and when; the oldest is older than the window. */
  let counts: { at: number; done: number }[] = [];
  return {
    /** `done`: in all so far. */
    count(done: number): void {
      const at = now();
      counts.push({ at, done });
      const old = counts.findLastIndex((one) => one.at <= at - WINDOW_MS);
      if (old > 0) counts = counts.slice(old);
    },
    perSecond(): number {
      const [first, last] = [counts[0], counts.at(-1)];
      if (first === undefined || last === undefined || last.at === first.at) return 0;
      return Math.max(0, (last.done - first.done) / ((last.at - first.at) / 1000));
    },
  };
}
