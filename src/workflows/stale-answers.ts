import { few } from '../core/errors.ts';
import type { Listener } from '../core/listener.ts';
import { ANSWERS_ENDINGS } from '../store/format/answers/answers-seal.ts';

/** Says which heads' tables of answers went with the list of samples that they were of. */
export function noteStaleAnswers(removed: readonly string[], listener: Listener | undefined): void {
  const tables = removed.filter((name) => name.endsWith(ANSWERS_ENDINGS.parquet));
  if (tables.length === 0) return;
  listener?.note?.(
    `${tables.length === 1 ? 'A table of answers is' : `${tables.length} tables of answers are`} removed, for images, labels or splits are others now: ${few(tables)}. The heads stay; "permafrost run" and "permafrost train" write tables of the new ones.`,
  );
}
