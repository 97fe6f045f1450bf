import type { Row } from './sinks/answer-table.ts';

/** The folders of classes, of images that are unknown, and of such that failed. */
export interface FolderNames {
  of(row: Row): string;
}

/** What no system takes in the name of a folder, and names that one of them keeps for itself. */
const UNFIT = /[\u0000-\u001f\u007f<>:"/\\|?*]/g;
const KEPT = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** A class as the name of a folder, on any system. */
function fit(label: string): string {
  const name = label.replace(UNFIT, '_').replace(/^\.+|[. ]+$/g, (ends) => '_'.repeat(ends.length));
  return name === '' || KEPT.test(name) ? `${name}_` : name.slice(0, 100);
}

/** Folders for classes, no two with one name, also where case does not count; `unknown` and `failed` beside them. */
export function folderNames(classes: readonly string[]): FolderNames {
  const taken = new Set<string>();
  const free = (wanted: string): string => {
    let name = wanted;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted}-${n}`;
    taken.add(name.toLowerCase());
    return name;
  };
  const own = new Map(classes.map((label) => [label, free(fit(label))]));
  // A class may be called so.
  const [unknown, failed] = [free('unknown'), free('failed')];
  return {
    of(row) {
      if ('reason' in row) return failed;
      return row.unknown ? unknown : own.get(row.label)!;
    },
  };
}
