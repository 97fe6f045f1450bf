interface Waiting<Request, Product> {
  readonly request: Request;
  readonly resolve: (product: Product) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * A product with one large matrix, in which all that are asked for in the same turn of the event loop are joined into one call of
 * `multiply`: folds and classes that are fitted at the same time read the large matrix once for all of their columns.
 */
export function joinedProducts<Request, Product>(
  multiply: (requests: readonly Request[]) => Promise<readonly Product[]>,
): (request: Request) => Promise<Product> {
  let waiting: Waiting<Request, Product>[] = [];

  async function answer(): Promise<void> {
    const those = waiting;
    waiting = [];
    try {
      const products = await multiply(those.map(({ request }) => request));
      those.forEach(({ resolve }, i) => resolve(products[i]!));
    } catch (error) {
      for (const { reject } of those) reject(error);
    }
  }

  return (request) =>
    new Promise((resolve, reject) => {
      // All who were waiting for the last product go on before this turn ends.
      if (waiting.length === 0) setImmediate(() => void answer());
      waiting.push({ request, resolve, reject });
    });
}
