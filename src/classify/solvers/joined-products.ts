import type { Columns } from '../linalg-thin.ts';

interface Request extends Columns {
  readonly resolve: (product: Float64Array) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A product with one large matrix, in which all that are asked for in the same turn of the event loop are joined into one call of
 * `multiply`: folds and classes that are fitted at the same time read the large matrix once for all of their columns.
 */
export function joinedProducts(
  multiply: (parts: readonly Columns[]) => Promise<Float64Array[]>,
): (V: Float64Array, k: number) => Promise<Float64Array> {
  let waiting: Request[] = [];

  async function answer(): Promise<void> {
    const requests = waiting;
    waiting = [];
    try {
      const products = await multiply(requests);
      requests.forEach(({ resolve }, i) => resolve(products[i]!));
    } catch (error) {
      for (const { reject } of requests) reject(error);
    }
  }

  return (V, k) =>
    new Promise((resolve, reject) => {
      // All who were waiting for the last product go on before this turn ends.
      if (waiting.length === 0) setImmediate(() => void answer());
      waiting.push({ V, k, resolve, reject });
    });
}
