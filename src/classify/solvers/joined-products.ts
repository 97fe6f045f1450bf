interface Waiting<Request, Product> {
  readonly request: Request;
  readonly resolve: (product: Product) => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes a product that joins what is asked of it. */
export type Joined = <Request, Product>(
  multiply: (requests: readonly Request[]) => Promise<readonly Product[]>,
) => (request: Request) => Promise<Product>;

/**
 * Products with one large matrix. Requests made at the same time join one call of `multiply`: concurrent folds and
 * classes read the matrix once. One call runs at a time, products created first go first: create the frequent ones
 * first, so that the expensive ones are asked for together.
 */
export function joinedProducts(): Joined {
  const queues: { readonly asked: () => boolean; readonly answer: () => Promise<void> }[] = [];
  let busy = false;

  async function work(): Promise<void> {
    for (let next; (next = queues.find(({ asked }) => asked())) !== undefined;) {
      await next.answer();
      // All who were waiting for it go on, and ask for more, before this turn ends.
      await turn();
    }
    busy = false;
  }

  return function joined<Request, Product>(multiply: (requests: readonly Request[]) => Promise<readonly Product[]>) {
    let waiting: Waiting<Request, Product>[] = [];
    queues.push({
      asked: () => waiting.length > 0,
      async answer() {
        const those = waiting;
        waiting = [];
        try {
          const products = await multiply(those.map(({ request }) => request));
          those.forEach(({ resolve }, i) => resolve(products[i]!));
        } catch (error) {
          for (const { reject } of those) reject(error);
        }
      },
    });
    return (request: Request) =>
      new Promise<Product>((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        if (busy) return;
        busy = true;
        void turn().then(work);
      });
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
