/** A value, or one sentence why there is none. */
export type OrReason<T> = T | { readonly missing: string };

/** Whether there is a value. */
export function present<T extends object>(value: OrReason<T>): value is T {
  return !('missing' in value);
}
