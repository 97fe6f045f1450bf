import type { Listener } from '../core/listener.ts';
import { isLabelled, type Manifest } from '../store/format/manifest.ts';

/** Reports that a store which was found in version `from` was written in a newer one. */
export function reportMigration(
  from: number,
  { version, sets }: Pick<Manifest, 'version' | 'sets'>,
  listener: Listener | undefined,
): void {
  if (from === version) return;
  const older = sets.flatMap(({ shards }) => shards).filter(isLabelled).length;
  listener?.note?.(
    `The store is migrated from version ${from} to ${version}: its features stay as they are, but an older permafrost cannot read it any more.${
      older > 0 && version > from && version >= 5
        ? ` ${older} of its shards still hold labels as they were when they were written; "permafrost migrate" takes them out.`
        : ''
    }`,
  );
}
