import { PermafrostError } from '../../core/errors.ts';
import { flagOf } from '../../core/options.ts';

/** What a head or a store is written as, and the flags that name a file or folder for it. */
const TARGETS = { onnx: ['onnx'], web: ['web'], table: ['parquet', 'csv', 'npz'] } as const;

export type ExportTarget = keyof typeof TARGETS;

/**
 * The one kind of target that is named; several tables are one kind. Throws OPTION_INVALID where none is, or two are.
 */
export function exportTarget(given: Readonly<Record<string, unknown>>): ExportTarget {
  const kinds = Object.keys(TARGETS) as ExportTarget[];
  const named = kinds.filter((kind) => TARGETS[kind].some((key) => (given[key] ?? '') !== ''));
  if (named.length === 1) return named[0]!;
  const all = kinds.flatMap((kind) => TARGETS[kind].map(flagOf)).join(', ');
  throw new PermafrostError(
    'OPTION_INVALID',
    named.length === 0
      ? `export: no target is named. Give one of ${all}.`
      : `export: ${named.flatMap((kind) => TARGETS[kind].filter((key) => (given[key] ?? '') !== '').map(flagOf)).join(' and ')} are different kinds of target. Give one a call.`,
  );
}

/** Throws OPTION_INVALID for a flag that was given and belongs to another kind of target. */
export function requireOwnFlags(
  given: Readonly<Record<string, unknown>>,
  target: ExportTarget,
  own: readonly string[],
): void {
  const common = ['json', 'quiet'];
  const other = Object.keys(given).find(
    (key) => given[key] !== undefined && !own.includes(key) && !common.includes(key),
  );
  if (other === undefined) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `export: ${flagOf(other)} does not go with ${TARGETS[target].map(flagOf).join(', ')}. Leave it out.`,
  );
}
