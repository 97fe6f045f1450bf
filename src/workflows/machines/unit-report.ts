import { readFile } from 'node:fs/promises';
import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readProcessor } from '../../extract/engines/choice/processor.ts';
import { writeFileAtomic } from '../../store/format/atomic-file.ts';
import { setSchema } from '../../store/format/manifest.ts';
import { sealJson, unsealExactly } from '../../store/format/sealed-json.ts';

/** What a unit tells of how it was made, beside its manifest. */
const REPORT_NAME = 'unit.json';
const FORMAT = 'permafrost-unit';
const VERSION = 1;

const count = z.number().int().nonnegative();
const level = z.number().int().min(0).max(255);

const reportSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  run: z.string(),
  unit: count,
  permafrost: z.string(),
  /** Images that were planned for it, and those that went through the network, views not counted. */
  images: count,
  extracted: count,
  /** Images that were not extracted, as the store had their features when it was planned; absent where all are new. */
  known: count.exactOptional(),
  /** Failures of the pass over the images themselves, then of the pass of each view. */
  failures: z.array(count).min(1),
  /** What is odd about some contents, by SHA-256 (extract/image/remarks.ts). */
  remarks: z.array(
    z.strictObject({
      sha256: z.string(),
      oneColour: z.tuple([level, level, level]).exactOptional(),
      hasAlpha: z.boolean(),
      isClipped: z.boolean(),
    }),
  ),
  seconds: z.number().nonnegative(),
  /** When it was finished, by the clock of its machine. */
  finished: z.string(),
  host: z.string(),
  processor: z.string(),
  /** Those that the network computed with. */
  threads: count,
  engine: setSchema.shape.engine,
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
export type UnitReport = DeepReadonly<z.infer<typeof reportSchema>>;

/** The kind of this machine's processor: machines of one kind give the same bytes. */
function processorKind(): string {
  const { bf16 } = readProcessor();
  return `${cpus()[0]?.model.trim() ?? 'unknown'} (${process.arch}, ${bf16 ?? 'no units for bf16'})`;
}

/** The machine that makes a unit. */
const machine = (): Pick<UnitReport, 'host' | 'processor'> => ({
  host: hostname(),
  processor: processorKind(),
});

/** Writes the report of a unit that was made here and now. Throws STORE_WRITE. */
export async function writeUnitReport(
  folder: string,
  made: Omit<UnitReport, 'format' | 'version' | 'finished' | 'host' | 'processor'>,
): Promise<void> {
  const finished = new Date().toISOString();
  const report: UnitReport = { format: FORMAT, version: VERSION, ...made, finished, ...machine() };
  await writeFileAtomic(join(folder, REPORT_NAME), [new TextEncoder().encode(sealJson(report))]);
}

/** Reads the report of the finished unit in a folder. Throws STORE_CORRUPT. */
export const readUnitReport = (folder: string): Promise<UnitReport> =>
  unitReport(folder, () => readFile(join(folder, REPORT_NAME)));

/** The report of a unit whose files `read` reads by name; `folder` is for messages. Throws STORE_CORRUPT. */
export async function unitReport(folder: string, read: (name: string) => Promise<Buffer>): Promise<UnitReport> {
  try {
    return reportSchema.parse(unsealExactly((await read(REPORT_NAME)).toString('utf8')));
  } catch (cause) {
    if (cause instanceof PermafrostError) throw cause;
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${REPORT_NAME} of ${folder} is not what was written: ${reasonOf(cause)}. Remove the folder ${folder} and extract that unit again.`,
      { cause },
    );
  }
}
