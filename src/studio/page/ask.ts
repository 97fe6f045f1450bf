import { useState } from 'preact/hooks';
import { MOST_UPLOAD_BYTES, type Api, type ApiError } from '../api/api.ts';

type Route = keyof Api;

interface Question {
  /** Values of the route's `:names`. */
  readonly params?: Readonly<Record<string, string | number>>;
  /** Empty values are left out; lists are repeated. */
  readonly query?: Readonly<Record<string, string | number | readonly string[]>>;
  /** A Blob goes as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** What the server refused, in its words. */
class Refusal extends Error {
  readonly code: string;

  constructor({ code, message }: ApiError) {
    super(message);
    this.code = code;
  }
}

/** The features that every question is about, by the name of their cut; '' for those that the studio began with. */
let seenThrough = new URLSearchParams(location.search).get('features') ?? '';

/** Asks about these features from now on; they stand in the address, so that a reload shows the same. */
export function seeThrough(features: string): void {
  seenThrough = features;
  const query = features === '' ? '' : `?${new URLSearchParams({ features }).toString()}`;
  history.replaceState(null, '', `${location.pathname}${query}${location.hash}`);
}

/** The address of a route, relative to the page's: below its path alone the browser sends what lets it in. */
function addressOf(route: Route, { params = {}, query = {} }: Question): string {
  const path = route
    .slice(route.indexOf('/') + 1)
    .replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries({ ...query, features: seenThrough }))
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [String(value)])
      if (one !== '') search.append(key, one);
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Why a request was not answered: the file went away or is a folder, the connection broke, or the studio is gone. */
async function whyNoAnswer(body: unknown): Promise<Refusal> {
  const readable = (blob: Blob): Promise<boolean> =>
    blob.arrayBuffer().then(
      () => true,
      () => false,
    );
  if (body instanceof Blob && !(await readable(body)))
    return new Refusal({
      code: 'UNREADABLE',
      message: 'The file cannot be read: it was moved, changed or locked since it was chosen, or it is a folder.',
    });
  const answers = await fetch('api/teach').then(
    () => true,
    () => false,
  );
  return answers
    ? new Refusal({ code: 'CUT', message: 'The connection broke on the way; the studio answers again. Try once more.' })
    : new Refusal({
        code: 'GONE',
        message:
          'The studio does not answer. Start it again with "permafrost studio" and open the address that it prints.',
      });
}

/** Asks the server. Throws Refusal: with its sentence, or why there is no answer. */
export async function ask<R extends Route>(route: R, question: Question = {}): Promise<Api[R]> {
  const { body, signal } = question;
  // Refused by the server it might end as a cut connection.
  if (body instanceof Blob && body.size > MOST_UPLOAD_BYTES)
    throw new Refusal({
      code: 'REFUSED',
      message: `The image has more than ${MOST_UPLOAD_BYTES / 2 ** 20} MiB, the most that the studio takes.`,
    });
  let answer: Response;
  try {
    answer = await fetch(addressOf(route, question), {
      method: route.slice(0, route.indexOf(' ')),
      ...(body !== undefined && { body: body instanceof Blob ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw await whyNoAnswer(body);
  }
  const json: unknown = await answer.json();
  if (!answer.ok) throw new Refusal(json as ApiError);
  return json as Api[R];
}

/** An error as a sentence. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The last problem, and `attempt`: hands the result of work to `done`, or its error to the problem. */
export function useAttempt() {
  const [problem, setProblem] = useState<string | null>(null);
  async function attempt<T>(work: Promise<T>, done: (found: T) => unknown, signal?: AbortSignal): Promise<void> {
    try {
      const found = await work;
      setProblem(null);
      await done(found);
    } catch (error) {
      if (!signal?.aborted) setProblem(sentenceOf(error));
    }
  }
  return { problem, setProblem, attempt };
}
