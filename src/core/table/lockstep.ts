/** One of several readers of the same items. */
export interface Lane<T> {
  readonly items: AsyncIterable<T>;
  /** Reads no more: the others go on without it. */
  leave(): void;
}

/**
 * The same items for several readers: the next is asked for when all of them want it, so that each item may be of the
 * same memory. A reader that stops early, or never begins, must leave.
 */
export function lockstep<T>(source: AsyncIterable<T>, readers: number): Lane<T>[] {
  const iterator = source[Symbol.asyncIterator]();
  type Waiting = { readonly resolve: (result: IteratorResult<T>) => void; readonly reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let reading = readers;
  function askWhenAllWait(): void {
    if (reading === 0 || waiting.length < reading) return;
    const all = waiting;
    waiting = [];
    iterator.next().then(
      (result) => {
        for (const { resolve } of all) resolve(result);
      },
      (error: unknown) => {
        for (const { reject } of all) reject(error);
      },
    );
  }
  return Array.from({ length: readers }, (): Lane<T> => {
    let isReading = true;
    const leave = (): void => {
      if (!isReading) return;
      isReading = false;
      reading--;
      // Whoever made the items closes its files.
      if (reading === 0) void iterator.return?.(undefined);
      else askWhenAllWait();
    };
    return {
      leave,
      items: {
        [Symbol.asyncIterator]: () => ({
          next: () =>
            new Promise((resolve, reject) => {
              waiting.push({ resolve, reject });
              askWhenAllWait();
            }),
          return: () => {
            leave();
            return Promise.resolve({ done: true as const, value: undefined });
          },
        }),
      },
    };
  });
}
