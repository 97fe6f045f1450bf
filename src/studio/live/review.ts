import { join } from 'node:path';
import { PermafrostError } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { savings } from '../../core/mutex.ts';
import type { CheckResult } from '../../results/check-result.ts';
import type { ReviewState, Saved } from '../api/studio-data.ts';
import { openJournal, withoutUndone } from '../../store/format/journal.ts';
import { writeSealed } from '../../store/format/seal-beside.ts';
import { journalPath, reviewSchema, STUDIO_FOLDER } from '../../store/format/studio-files.ts';
import { checkStore } from '../../workflows/check/check.ts';
import { CHECK_DEFAULTS } from '../../workflows/check/options.ts';
import type { LiveJobs } from './jobs.ts';
import { cardOf, type Snapshot } from './snapshot.ts';

/** Suspects that are listed, the most suspect first. */
const MOST_SUSPECTS = 200;

/** Suspected label errors and what was decided about them; the user's files are never touched. */
export interface LiveReview {
  /** Suspects of the snapshot, found once (cross-validation of all images). */
  state(snapshot: Snapshot): Promise<ReviewState>;
  /** The decided label by path, of images whose file is still the one that was decided about. */
  decisions(snapshot: Snapshot): ReadonlyMap<string, string>;
  /** Gives an image a label; its own keeps it. Throws OPTION_INVALID. */
  decide(path: string, label: string, snapshot: Snapshot): Promise<void>;
  undo(): Promise<void>;
  /** Writes all images with the decided labels as a CSV of path, label and split, in the studio's folder. */
  save(snapshot: Snapshot): Promise<Saved>;
}

/** A CSV field by RFC 4180. */
const field = (text: string): string => (/[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Lines of a CSV that are made at once. */
const LINES = 4096;

/** A CSV of path, label and split, the decided labels in place of the stored ones. */
function* labelLines({ samples }: Snapshot, decided: ReadonlyMap<string, string>): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  yield encoder.encode('path,label,split\n');
  for (let from = 0; from < samples.length; from += LINES) {
    let text = '';
    for (let row = from; row < Math.min(samples.length, from + LINES); row++) {
      const path = samples.pathOf(row);
      const label = decided.get(path) ?? samples.labelOf(row);
      text += `${[path, label, samples.splitOf(row)].map(field).join(',')}\n`;
    }
    yield encoder.encode(text);
  }
}

export async function liveReview(store: string, jobs: LiveJobs, listener: Listener = {}): Promise<LiveReview> {
  const journal = await openJournal(journalPath(store, 'review.jsonl'), reviewSchema, (text) => listener.note?.(text));
  const saving = savings();
  let checked: { readonly name: string; readonly result: Promise<CheckResult> } | undefined;

  function suspectsOf(snapshot: Snapshot): Promise<CheckResult> {
    if (checked?.name === snapshot.name) return checked.result;
    const through = snapshot.store.throughNetwork(snapshot.set.fingerprint);
    const result = jobs.run(snapshot, 'A search for label errors', () =>
      checkStore(through, { ...CHECK_DEFAULTS, suspects: MOST_SUSPECTS }, {}),
    );
    checked = { name: snapshot.name, result };
    result.catch(() => (checked = undefined));
    return result;
  }
  function decisions({ store: { manifest }, samples }: Snapshot): Map<string, string> {
    const labels = new Map<string, string>();
    for (const { root, path, sha256, label } of withoutUndone(journal.entries)) {
      if (root !== manifest.dataset.root) continue;
      const row = samples.rowOf(path);
      if (row >= 0 && samples.digests.at(row) === sha256) labels.set(path, label);
    }
    return labels;
  }

  return {
    decisions,
    async state(snapshot) {
      const { suspects, labelErrors } = await suspectsOf(snapshot);
      const suspected = new Set(suspects.map(({ path }) => path));
      const decided = decisions(snapshot);
      const { samples } = snapshot;
      const changed = [...decided].filter(([path, label]) => samples.labelOf(samples.rowOf(path)) !== label).length;
      return {
        snapshot: snapshot.name,
        suspects: suspects.flatMap(({ path, suggested, probability, margin }) => {
          const row = samples.rowOf(path);
          if (row < 0) return [];
          return [{ ...cardOf(snapshot, row), suggested, probability, margin, decided: decided.get(path) ?? null }];
        }),
        others: [...decided].flatMap(([path, label]) =>
          suspected.has(path) ? [] : [{ ...cardOf(snapshot, samples.rowOf(path)), decided: label }],
        ),
        labelErrors,
        classes: samples.labels,
        decided: decided.size,
        changed,
        canUndo: withoutUndone(journal.entries).length > 0,
      };
    },
    async decide(path, text, { store: { manifest }, samples }) {
      const label = text.trim();
      const row = samples.rowOf(path);
      if (row < 0) throw new PermafrostError('OPTION_INVALID', `The data set has no image ${JSON.stringify(path)}.`);
      if (label === '') throw new PermafrostError('OPTION_INVALID', `${path}: a label is a name, not empty.`);
      const { root } = manifest.dataset;
      await journal.append({ do: 'decide', root, path, sha256: samples.digests.at(row)!, label });
    },
    async undo() {
      if (withoutUndone(journal.entries).length > 0) await journal.append({ do: 'undo' });
    },
    async save(snapshot) {
      const path = join(store, STUDIO_FOLDER, 'labels.csv');
      await saving(`${snapshot.name}/${journal.entries.length}`, () =>
        writeSealed(path, labelLines(snapshot, decisions(snapshot))),
      );
      const quote = JSON.stringify;
      const { root } = snapshot.store.manifest.dataset;
      return { path, command: `npx permafrost run ${quote(root)} --labels ${quote(path)} --store ${quote(store)}` };
    },
  };
}
