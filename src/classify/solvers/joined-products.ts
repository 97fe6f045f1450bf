interface Waiting<Request, Product> {
  readonly request: Request;
  readonly resolve: (product: Product) => void;
  readonly reject: (reason: unknown) => void;
}

interface Queue {
  readonly asked: () => boolean;
  readonly answer: () => Promise<void>;
}

/** Makes a product that joins what is asked of it. */
export type Joined = <Request, Product>(
  multiply: (requests: readonly Request[]) => Promise<readonly Product[]>,
) => (request: Request) => Promise<Product>;

/**
 * Products with one large matrix, of which all that are asked for at the same time are joined into one call of
 * `multiply`: folds and classes that are fitted at the same time read the large matrix once for all of their columns.
 * One call is made at a time, and of several products the one that was made first comes first: make those first of
 * which a fit takes many, and whoever is done with them waits for the others, so that all ask for the dear ones
 * together.
 */
export function joinedProducts(): Joined {
  const queues: Queue[] = [];
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
