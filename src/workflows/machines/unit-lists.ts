import { join } from 'node:path';
import * as z from 'zod';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { SPLITS, type Sample } from '../../core/sample.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import { readVerified } from '../../store/read/file.ts';
import type { Plan, PlanFolder } from './plan-file.ts';

/** Images of a list file at most, unless one unit has more: some 3 MB that a worker reads for a unit of it. */
const LISTED_IMAGES = 32_768;

const lineSchema = z.tuple([z.string(), z.string(), z.enum(SPLITS)]);

/** A list file as it is to be written. */
interface ListFile {
  readonly entry: Plan['lists']['files'][number];
  readonly bytes: Uint8Array;
}

/** The listing of a data set, cut into units and these into files. */
interface Listing {
  readonly samples: readonly Sample[];
  readonly unitSize: number;
}

const listedUnits = (unitSize: number): number => Math.max(1, Math.floor(LISTED_IMAGES / unitSize));

/** The files of a listing one after the other, an image a line: path, label, split as a JSON array. */
function* listFiles({ samples, unitSize }: Listing): Generator<ListFile> {
  const step = listedUnits(unitSize) * unitSize;
  for (let from = 0, number = 0; from < samples.length; from += step, number++) {
    const lines = samples
      .slice(from, from + step)
      .map(({ path, label, split }) => JSON.stringify([path, label, split]));
    const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`);
    const name = `list-${String(number).padStart(5, '0')}.jsonl`;
    yield { entry: { name, bytes: bytes.length, sha256: sha256Hex(bytes) }, bytes };
  }
}

/** What a plan says of its lists. Nothing is written: the folder is named by what is listed. */
export function describeLists(listing: Listing): Plan['lists'] {
  return { listed: listedUnits(listing.unitSize), files: Array.from(listFiles(listing), ({ entry }) => entry) };
}

/** Writes the files that `describeLists` named. Throws STORE_WRITE. */
export async function writeLists(folder: string, listing: Listing): Promise<void> {
  for (const { entry, bytes } of listFiles(listing)) await writeFileAtomic(join(folder, entry.name), [bytes]);
}

/** The images of a plan, unit by unit. */
export interface UnitLists {
  /** The images of a unit in the order of the listing. Throws STORE_CORRUPT. */
  samplesOf(unit: number): Promise<readonly Sample[]>;
}

/** Images of a unit: all but the last have as many. */
export function imagesOfUnit({ units, dataset }: Plan, unit: number): number {
  return Math.min(units.size, dataset.images - unit * units.size);
}

/** Opens the lists of a plan. One file is held at a time. */
export function openLists({ path, plan }: PlanFolder): UnitLists {
  const { lists, units } = plan;
  let held: { readonly number: number; readonly lines: readonly string[] } | undefined;

  async function linesOf(number: number): Promise<readonly string[]> {
    if (held?.number === number) return held.lines;
    const bytes = await readVerified(path, lists.files[number]!);
    held = { number, lines: bytes.toString('utf8').split('\n').slice(0, -1) };
    return held.lines;
  }

  return {
    async samplesOf(unit) {
      if (!Number.isInteger(unit) || unit < 0 || unit >= units.count)
        throw new PermafrostError(
          'OPTION_INVALID',
          `There is no unit ${unit}: the plan has ${units.count}, from 0 on.`,
        );
      const number = Math.floor(unit / lists.listed);
      const from = (unit % lists.listed) * units.size;
      const lines = (await linesOf(number)).slice(from, from + units.size);
      // One string for equal labels: a unit mostly has a few.
      const labels = new Map<string, string>();
      const shared = (label: string): string => labels.get(label) ?? (labels.set(label, label), label);
      try {
        return lines.map((line): Sample => {
          const [image, label, split] = lineSchema.parse(JSON.parse(line));
          return { path: image, label: shared(label), split };
        });
      } catch (cause) {
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${join(path, lists.files[number]!.name)} is no list of images: ${reasonOf(cause)}. Plan again with the same command: finished units are kept.`,
          { cause },
        );
      }
    },
  };
}
