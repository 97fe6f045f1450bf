/** Runs work one after the other, in the order given; a failure does not stop the next. */
export function mutex(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined); // its caller sees the error
    return mine;
  };
}

/**
 * Runs work side by side within `most`, which counts pieces of work, or whatever `width` tells of each; in the order
 * given. A failure does not stop the next. What is wider than `most` runs alone.
 */
export function lanes(most: number): <T>(work: () => Promise<T>, width?: number) => Promise<T> {
  const waiting: { readonly width: number; readonly start: () => void }[] = [];
  let taken = 0;
  function startNext(): void {
    for (let next = waiting[0]; next !== undefined && taken + next.width <= most; next = waiting[0]) {
      waiting.shift();
      taken += next.width;
      next.start();
    }
  }
  return async (work, width = 1) => {
    const own = Math.min(width, most);
    await new Promise<void>((start) => {
      waiting.push({ width: own, start });
      startNext();
    });
    try {
      return await work();
    } finally {
      taken -= own;
      startNext();
    }
  };
}

/**
 * Work that saves something: who asks for the same, by its key, while it is done gets its result; work of another key
 * comes after it.
 */
export function savings(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const exclusive = mutex();
  const underWay = new Map<string, Promise<unknown>>();
  return <T>(key: string, work: () => Promise<T>) => {
    const same = underWay.get(key);
    // Work of one key has one type.
    if (same !== undefined) return same as Promise<T>;
    const mine = exclusive(work).finally(() => underWay.delete(key));
    underWay.set(key, mine);
    return mine;
  };
}
