/** Runs at most `most` works at once, in the order given; a failure does not stop the next. */
export function lanes(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let busy = 0;
  return async (work) => {
    if (busy >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy++;
    try {
      return await work();
    } finally {
      // Whoever waits takes the lane over.
      const next = waiting.shift();
      if (next === undefined) busy--;
      else next();
    }
  };
}
