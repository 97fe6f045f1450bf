import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ownProblem } from '../../store/care/proofs.ts';
import { removeFile } from '../../store/format/atomic-file.ts';
import { kindOf } from '../../store/format/file-kinds.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import { sealAsItIs, sealedFile } from '../../store/format/seal-beside.ts';
import { sealLines } from '../../store/format/sealed-lines.ts';
import { mendLooks } from '../../store/format/validation-looks.ts';
import { writeFailures } from '../extract/failures-file.ts';

/** Writes a damaged file of a store anew from what is whole: its own lines, the manifest. Throws STORE_WRITE. */
export async function renewFile({ path, manifest }: StoreFolder, name: string): Promise<void> {
  const kind = kindOf(name)?.kind;
  if (kind === 'looks') await mendLooks(path);
  if (kind === 'failures') await writeFailures(path, manifest.dataset.failures);
  // Its damaged lines are known by their own digests: what they told is computed again.
  if (kind === 'sweeps') await sealLines(join(path, name));
  if (kind === 'seal') await renewSeal(path, sealedFile(name)!);
}

/** A seal is made again of a file as it is, unless that shows by itself that it is damaged too. */
async function renewSeal(path: string, name: string): Promise<void> {
  const file = join(path, name);
  await removeFile(`${file}.seal`);
  if (!existsSync(file) || (await ownProblem(path, name)) !== undefined) return;
  await (kindOf(name)?.proof === 'lines' ? sealLines(file) : sealAsItIs(file));
}
