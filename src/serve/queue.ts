import { HTTPException } from 'hono/http-exception';

/** What one request takes of the queue. */
export interface Place {
  /** Says how many bytes it really has. */
  holds(bytes: number): void;
  /** Takes room for further images of the same request. Throws 429 where there is none now. */
  take(images: number): void;
  /** Gives all of it back. */
  leave(): void;
}

/** Images that wait or are under way, and the bytes that their requests hold, both bounded. */
export interface Queue {
  readonly images: number;
  readonly most: number;
  /** When to come again after a 429: what is queued, at the pace of the last images; at least a second. */
  readonly retryAfterSeconds: number;
  /** Room for one image of a request whose body has at most `bytes`. Throws 429 where there is none now. */
  enter(bytes: number): Place;
}

/** Weight of the newest pace in the mean of all. */
const NEWEST = 0.1;

/**
 * A queue of at most `most` images. `mostBytes` bounds their bodies; one body is let in alone whatever it has. Places
 * are taken before a body is read, so that what waits is bounded also while it is sent.
 */
export function makeQueue(most: number, mostBytes: number): Queue {
  let images = 0;
  let bytes = 0;
  let msAnImage = 0;
  /** When the last one left, or the first of a busy time came. */
  let since = 0;
  const full = (): HTTPException =>
    new HTTPException(429, {
      message: `${images} images wait, and at most ${most} may (or ${Math.round(mostBytes / 1e6)} MB of them). Come again later.`,
    });
  return {
    get images() {
      return images;
    },
    most,
    get retryAfterSeconds() {
      return Math.max(1, Math.ceil((images * msAnImage) / 1000));
    },
    enter(announced) {
      if (images + 1 > most || (images > 0 && bytes + announced > mostBytes)) throw full();
      if (images === 0) since = performance.now();
      const own = { images: 1, bytes: announced };
      images += 1;
      bytes += announced;
      return {
        holds(real) {
          bytes += real - own.bytes;
          own.bytes = real;
        },
        take(more) {
          if (images + more > most) throw full();
          images += more;
          own.images += more;
        },
        leave() {
          const now = performance.now();
          const pace = (now - since) / own.images;
          msAnImage = msAnImage === 0 ? pace : (1 - NEWEST) * msAnImage + NEWEST * pace;
          since = now;
          images -= own.images;
          bytes -= own.bytes;
          own.images = 0;
          own.bytes = 0;
        },
      };
    },
  };
}
