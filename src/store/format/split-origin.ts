import * as z from 'zod';
import { reasonOf } from '../../core/errors.ts';

/** Key of the schema of a list of samples under which its split's origin stands as JSON. */
const SPLIT_ORIGIN_KEY = 'split';

const schema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('dataset') }),
  z.strictObject({ by: z.literal('content'), seed: z.number().int(), valFraction: z.number() }),
]);

/**
 * How the splits of a list of samples came about: the data set named them, or some images were held out by their
 * contents. Lists of older versions do not say.
 */
export type SplitOrigin = z.infer<typeof schema>;

/** The schema's metadata of a list. */
export const metadataOfSplit = (origin: SplitOrigin | undefined): ReadonlyMap<string, string> =>
  new Map(origin === undefined ? [] : [[SPLIT_ORIGIN_KEY, JSON.stringify(origin)]]);

/** The origin in a list's metadata, undefined where it does not say. Throws Error for what is none. */
export function splitOriginIn(metadata: ReadonlyMap<string, string>): SplitOrigin | undefined {
  const text = metadata.get(SPLIT_ORIGIN_KEY);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`its split's origin is ${JSON.stringify(text)} (${reasonOf(cause)})`, { cause });
  }
}
