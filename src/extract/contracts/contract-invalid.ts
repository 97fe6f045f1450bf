import type * as z from 'zod';
import { PermafrostError } from '../../core/errors.ts';

const BY_HAND =
  'Write a contract for this network and give it with --contract FILE.json (docs/backbones.md, "Preprocessing").';

/** A value in a message, not longer than a line. */
const clipped = (text: string): string => (text.length <= 100 ? text : `${text.slice(0, 99)}…`);

/** CONTRACT_INVALID for a field of `source` (a file, or what else is read) with the value that it has there. */
export function contractInvalid(
  source: string,
  field: string,
  value: unknown,
  because: string,
  advice: string = BY_HAND,
): PermafrostError {
  const told = value === undefined ? `${field} is missing` : `${field} is ${clipped(JSON.stringify(value))}`;
  return new PermafrostError('CONTRACT_INVALID', `${source}: ${told}: ${because}. ${advice}`);
}

/** A value by a schema. Throws CONTRACT_INVALID that names the first field that does not fit. */
export function checked<T>(source: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message, ...issue } = parsed.error.issues[0]!;
  // Of fields that are not known, the first is named as one that is there.
  const at = issue.code === 'unrecognized_keys' ? [...path, issue.keys[0]!] : path;
  const found = at.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
  const because = issue.code === 'unrecognized_keys' ? 'permafrost does not know this field' : message;
  throw contractInvalid(source, at.join('.') || 'the content', found, because);
}
