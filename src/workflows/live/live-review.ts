import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { CheckResult } from '../../core/check-result.ts';
import type { ReviewState, Saved } from '../../core/studio-data.ts';
import { writeFileAtomic } from '../../store/atomic-file.ts';
import { openJournal, withoutUndone } from '../../store/journal.ts';
import { journalPath, reviewSchema, STUDIO_FOLDER } from '../../store/studio-files.ts';
import { check } from '../check.ts';
import { cardOf, type Snapshot } from './live-store.ts';

/** Suspects that are listed, the most suspect first. */
const MOST_SUSPECTS = 200;

/** Suspected label errors and what was decided about them; the user's files are never touched. */
export interface LiveReview {
  /** Suspects of the snapshot, found once (cross-validation of all images). */
  state(snapshot: Snapshot): Promise<ReviewState>;
  /** The label that each image was given, by path: of images whose file is still the one that was decided about. */
  decisions(snapshot: Snapshot): ReadonlyMap<string, string>;
  /** Gives an image of the snapshot a label: its own to keep it. Throws OPTION_INVALID. */
  decide(path: string, label: string, snapshot: Snapshot): Promise<void>;
  undo(): Promise<void>;
  /** Writes all images with the decided labels as a CSV of path, label and split, in the studio's folder. */
  save(snapshot: Snapshot): Promise<Saved>;
}

/** A CSV field by RFC 4180. */
const field = (text: string): string =>
  /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

export async function liveReview(store: string): Promise<LiveReview> {
  const journal = await openJournal(journalPath(store, 'review.jsonl'), reviewSchema);
  let checked: { readonly name: string; readonly result: Promise<CheckResult> } | undefined;

  function suspectsOf(snapshot: Snapshot): Promise<CheckResult> {
    if (checked?.name === snapshot.name) return checked.result;
    const result = check(store, { suspects: MOST_SUSPECTS });
    checked = { name: snapshot.name, result };
    result.catch(() => (checked = undefined));
    return result;
  }
  /** The last decision about each image of this data set, unless its file is another one by now. */
  function decisions({ manifest, samples }: Snapshot): Map<string, string> {
    const contents = new Map(samples.map(({ path, sha256 }) => [path, sha256]));
    const labels = new Map<string, string>();
    for (const { root, path, sha256, label } of withoutUndone(journal.entries))
      if (root === manifest.dataset.root && contents.get(path) === sha256) labels.set(path, label);
    return labels;
  }

  return {
    decisions,
    async state(snapshot) {
      const { suspects } = await suspectsOf(snapshot);
      const suspected = new Set(suspects.map(({ path }) => path));
      const decided = decisions(snapshot);
      const rowOf = new Map(snapshot.samples.map(({ path }, row) => [path, row]));
      const changed = snapshot.samples.filter(({ path, label }) => (decided.get(path) ?? label) !== label);
      return {
        snapshot: snapshot.name,
        suspects: suspects.flatMap(({ path, suggested, probability, margin }) => {
          const row = rowOf.get(path);
          if (row === undefined) return [];
          return [
            { ...cardOf(snapshot, row), suggested, probability, margin, decided: decided.get(path) ?? null },
          ];
        }),
        others: [...decided].flatMap(([path, label]) =>
          suspected.has(path) ? [] : [{ ...cardOf(snapshot, rowOf.get(path)!), decided: label }],
        ),
        classes: [...new Set(snapshot.samples.map(({ label }) => label))].sort(),
        decided: decided.size,
        changed: changed.length,
        canUndo: withoutUndone(journal.entries).length > 0,
      };
    },
    async decide(path, text, { manifest, samples }) {
      const label = text.trim();
      const sample = samples.find((one) => one.path === path);
      if (sample === undefined)
        throw new PermafrostError('OPTION_INVALID', `The data set has no image ${JSON.stringify(path)}.`);
      if (label === '') throw new PermafrostError('OPTION_INVALID', `${path}: a label is a name, not empty.`);
      await journal.append({
        do: 'decide',
        root: manifest.dataset.root,
        path,
        sha256: sample.sha256,
        label,
      });
    },
    async undo() {
      if (withoutUndone(journal.entries).length > 0) await journal.append({ do: 'undo' });
    },
    async save(snapshot) {
      const decided = decisions(snapshot);
      const lines = snapshot.samples.map(({ path, label, split }) =>
        [path, decided.get(path) ?? label, split].map(field).join(','),
      );
      const path = join(store, STUDIO_FOLDER, 'labels.csv');
      await writeFileAtomic(path, [new TextEncoder().encode(['path,label,split', ...lines, ''].join('\n'))]);
      const [root, labels, into] = [snapshot.manifest.dataset.root, path, store].map((text) =>
        JSON.stringify(text),
      );
      return { path, command: `npx permafrost run ${root} --labels ${labels} --store ${into}` };
    },
  };
}
