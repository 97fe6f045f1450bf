/** Work that is under way for one of many. */
export interface UnderWay<In, Out> {
  readonly input: In;
  readonly output: Promise<Out>;
}

const next = async <T>(from: Iterator<T> | AsyncIterator<T>): Promise<IteratorResult<T>> => from.next();

/**
 * Begins work for each input and gives what comes of it in the order of the inputs. At most `most` are under way; none
 * waits for inputs that are not there yet. Throws what the inputs or the work throw first, in that order.
 */
export async function* inOrder<In, Out>(
  inputs: Iterable<In> | AsyncIterable<In>,
  most: number,
  begin: (input: In) => Promise<Out>,
): AsyncGenerator<{ readonly input: In; readonly output: Out; readonly isLast: boolean }> {
  const from = Symbol.asyncIterator in inputs ? inputs[Symbol.asyncIterator]() : inputs[Symbol.iterator]();
  const window: UnderWay<In, Out>[] = [];
  let ended = false;
  let coming: Promise<void> | undefined;
  const pull = async (): Promise<void> => {
    const taken = await next(from);
    coming = undefined;
    if (taken.done === true) {
      ended = true;
      return;
    }
    const output = begin(taken.value);
    output.catch(() => undefined); // thrown when its turn comes
    window.push({ input: taken.value, output });
  };
  try {
    for (;;) {
      while (!ended && window.length < most) {
        coming ??= pull();
        const first = window[0];
        // Whatever comes first: another input, or the answer that is next.
        if (first === undefined) await coming;
        else if (await Promise.race([coming.then(() => false), first.output.then(() => true)])) break;
      }
      const first = window.shift();
      if (first === undefined) return;
      yield { input: first.input, output: await first.output, isLast: window.length === 0 };
    }
  } finally {
    coming?.catch(() => undefined);
    if (!ended) await from.return?.();
  }
}
