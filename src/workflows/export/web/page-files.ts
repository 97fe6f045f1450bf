import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PermafrostError } from '../../../core/errors.ts';

/** A file of the package, and its place in an exported folder. */
export interface PackageFile {
  readonly from: string;
  /** With slashes, on every platform. */
  readonly name: string;
}

/** Where the build puts the page, and ONNX Runtime for browsers. */
const [PAGE, RUNTIME] = ['./page/', '../../../onnxruntime-web/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
) as [string, string];

async function filesOf(folder: string, into: string): Promise<PackageFile[]> {
  const names = await readdir(folder).catch(() => [] as string[]);
  if (names.length === 0)
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `The files of the exported page are not in ${folder}. Run "npm run build".`,
    );
  return names.sort().map((name) => ({ from: join(folder, name), name: `${into}${name}` }));
}

/** The files that every exported folder has. Throws PACKAGE_MISSING where they were not built. */
export async function packageFiles(): Promise<{
  readonly page: readonly PackageFile[];
  readonly runtime: readonly PackageFile[];
}> {
  return { page: await filesOf(PAGE, ''), runtime: await filesOf(RUNTIME, 'runtime/') };
}
