import { setMaxListeners } from 'node:events';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { matrix, type Matrix } from '../../core/matrix.ts';
import { mutex } from '../../core/mutex.ts';
import type { Failure } from '../../core/sample.ts';
import type { Answer, Answered, ClassifierFacts } from '../../results/answer-results.ts';
import type { Search } from '../search/exact-neighbors.ts';
import type { OpenedHead } from '../train/files/head-files.ts';
import { answersOf } from './answers-of.ts';
import { inOrder } from './in-order.ts';
import { isOfImage, type ImageInput, type ImageSquares } from './image-squares.ts';
import type { LiveNetworks } from './live-networks.ts';
import { BATCH, interrupted, networkBatches } from './network-batches.ts';

/** What is asked about an image beside its class. */
export interface AnswerOptions {
  /** Nearest training images with each answer. Default: 0. */
  readonly neighbors?: number;
  /** Ends the call, which then throws INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
}

/** A head with its network or networks, kept loaded. */
export interface Classifier {
  readonly facts: ClassifierFacts;
  /**
   * What the head says of an image. Images that are asked about at the same time go through the network together.
   * Throws IMAGE_UNREADABLE, IMAGE_UNDECODABLE, IMAGE_CRASHED; ENGINE_FAILED; INTERRUPTED; OPTION_INVALID once it is
   * closed.
   */
  predict(image: ImageInput, options?: AnswerOptions): Promise<Answer>;
  /** As above, of many at once, in their order: an image without an answer gives a Failure and stops no other. */
  predict(images: readonly ImageInput[], options?: AnswerOptions): Promise<(Answer | Failure)[]>;
  /**
   * Answers for any number of images in their order, in bounded memory: images are read as answers are taken. Throws
   * what concerns all of them: DATASET_UNREACHABLE, ENGINE_FAILED, INTERRUPTED, OPTION_INVALID.
   */
  stream(
    images: Iterable<string> | AsyncIterable<string>,
    options?: AnswerOptions,
  ): AsyncGenerator<Answered | Failure, void, undefined>;
  /** Refuses new calls, waits for those under way (streams read no further image), and frees the network. */
  close(): Promise<void>;
}

/** Images under way in a stream: in the network, waiting for it, being decoded. */
const UNDER_WAY = 3 * BATCH;
/** Features that wait for one pass over stored training rows: at most so many bytes, and rows. */
const BLOCK_BYTES = 2 ** 25;
const BLOCK_ROWS = 1024;

/** An image with its features, or the reason why there are none. */
interface Found {
  readonly path: string;
  readonly found: Float32Array | Failure;
}

/** What comes of it. */
interface Said {
  readonly path: string;
  readonly said: Answer | Failure;
}

async function* named(all: AsyncIterable<Said>): AsyncGenerator<Answered | Failure, void, undefined> {
  for await (const { path, said } of all) yield 'reason' in said ? said : { path, ...said };
}

const nameOf = (image: ImageInput, i: number): string => (typeof image === 'string' ? image : `images[${i}]`);

const rowsOf = (found: readonly Float32Array[], width: number): Matrix => {
  const X = matrix(found.length, width);
  for (const [i, features] of found.entries()) X.data.set(features, i * width);
  return X;
};

/** What a classifier is made of. */
export interface ClassifierParts {
  readonly facts: ClassifierFacts;
  readonly head: OpenedHead;
  readonly networks: LiveNetworks;
  readonly images: ImageSquares;
  /** Opens the search of the training images. */
  readonly search: () => Promise<Search | undefined>;
}

/** A classifier of a head and its networks, which it frees at its end. */
export function liveClassifier({ facts, head, networks, images, search: openSearch }: ClassifierParts): Classifier {
  const batches = networkBatches((squares: Parameters<LiveNetworks['run']>[0]) => networks.run(squares));
  const exclusive = mutex();
  const calls = new Set<Promise<unknown>>();
  let search: Promise<Search | undefined> | undefined;
  let closing: Promise<void> | undefined;

  function requireOpen(): void {
    if (closing !== undefined)
      throw new PermafrostError('OPTION_INVALID', 'This classifier is closed. Open another one with openClassifier.');
  }
  /** Is waited for by `close`. */
  function counted<T>(call: Promise<T>): Promise<T> {
    calls.add(call);
    const leave = (): boolean => calls.delete(call);
    call.then(leave, leave);
    return call;
  }
  function features(image: ImageInput, isBulk: boolean, signal?: AbortSignal): Promise<Float32Array> {
    return counted(batches.features(images.squares(image, signal), { isBulk, signal }));
  }
  async function answers(X: Matrix, { neighbors = 0, signal }: AnswerOptions): Promise<Answer[]> {
    const ask = async (): Promise<Answer[]> => {
      if (signal?.aborted === true) throw interrupted(signal);
      const found = await answersOf(head, X);
      if (neighbors === 0 || X.rows === 0) return found;
      search ??= openSearch();
      search.catch(() => (search = undefined));
      const near = await (await search)?.(X, neighbors);
      return near === undefined ? found : found.map((answer, i) => ({ ...answer, neighbors: near[i]! }));
    };
    // Rows that are read from the store have one reader at a time.
    return head.rowsMemory > 0 || neighbors > 0 ? exclusive(ask) : ask();
  }
  async function one(image: ImageInput, options: AnswerOptions): Promise<Answer> {
    const found = await features(image, false, options.signal);
    return (await answers(rowsOf([found], networks.width), options))[0]!;
  }
  async function foundOf(path: string, image: ImageInput, signal?: AbortSignal): Promise<Found> {
    try {
      return { path, found: await features(image, true, signal) };
    } catch (error) {
      if (!isOfImage(error)) throw error;
      return { path, found: { path, code: error.code, reason: reasonOf(error) } };
    }
  }
  async function* many(
    given: Iterable<ImageInput> | AsyncIterable<ImageInput>,
    options: AnswerOptions,
  ): AsyncGenerator<Said, void, undefined> {
    const { neighbors = 0 } = options;
    // Each image listens to it: one of our own, as Node warns above ten.
    const signal = options.signal && AbortSignal.any([options.signal]);
    if (signal !== undefined) setMaxListeners(0, signal);
    const isOnePass = neighbors > 0 || head.rowsMemory > 0;
    const fitting = Math.max(BATCH, Math.floor(BLOCK_BYTES / (4 * networks.width)));
    const most = isOnePass ? Math.min(BLOCK_ROWS, fitting) : BATCH;
    let block: Found[] = [];
    async function* flush(): AsyncGenerator<Said, void, undefined> {
      const rows = block.flatMap(({ found }) => (found instanceof Float32Array ? [found] : []));
      const said = (await answers(rowsOf(rows, networks.width), options)).values();
      for (const { path, found } of block)
        yield { path, said: found instanceof Float32Array ? said.next().value! : found };
      block = [];
    }
    let i = 0;
    for await (const { output, isLast } of inOrder(given, UNDER_WAY, (image) =>
      foundOf(nameOf(image, i++), image, signal),
    )) {
      block.push(output);
      if (block.length >= most || isLast) yield* flush();
    }
  }
  /** The images of a stream, which ends where the classifier is closed meanwhile. */
  async function* whileOpen(given: Iterable<string> | AsyncIterable<string>): AsyncGenerator<string> {
    for await (const image of given) {
      requireOpen();
      yield image;
    }
  }
  async function all(given: readonly ImageInput[], options: AnswerOptions): Promise<(Answer | Failure)[]> {
    const found: (Answer | Failure)[] = [];
    for await (const { said } of many(given, options)) found.push(said);
    return found;
  }
  function predict(image: ImageInput, options?: AnswerOptions): Promise<Answer>;
  function predict(images: readonly ImageInput[], options?: AnswerOptions): Promise<(Answer | Failure)[]>;
  async function predict(
    given: ImageInput | readonly ImageInput[],
    options: AnswerOptions = {},
  ): Promise<Answer | (Answer | Failure)[]> {
    requireOpen();
    return counted<Answer | (Answer | Failure)[]>(isMany(given) ? all(given, options) : one(given, options));
  }

  return {
    facts,
    predict,
    stream(given, options = {}) {
      requireOpen();
      return named(many(whileOpen(given), options));
    },
    close() {
      closing ??= (async () => {
        while (calls.size > 0) await Promise.allSettled(calls);
        await networks.dispose();
        await images.close();
      })();
      return closing;
    },
  };
}

const isMany = (given: ImageInput | readonly ImageInput[]): given is readonly ImageInput[] => Array.isArray(given);
