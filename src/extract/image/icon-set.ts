import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PermafrostError } from '../../core/errors.ts';

/** Finds the file that a package specifier (`name/file`) names; throws where the package is not installed. */
export type Resolve = (specifier: string) => string;

/** Node's own resolution, as seen from permafrost. */
export const resolveInstalled: Resolve = createRequire(import.meta.url).resolve;

/** An installed package of pictures in Iconify's JSON format (iconify.design/docs/types/iconify-json.html). */
export interface IconSet {
  readonly packageName: string;
  readonly version: string;
  /** Reads the pictures; the answer draws one by name as SVG text of `size` x `size` pixels, aspect ratio kept. */
  readonly load: () => Promise<(name: string, size: number) => string>;
}

interface IconifyJson {
  readonly icons: Readonly<
    Record<string, { readonly body: string; readonly width?: number; readonly height?: number }>
  >;
  readonly width?: number;
  readonly height?: number;
}

/** Iconify's own default side of a picture that states none. */
const DEFAULT_SIDE = 16;

/** Finds an icon set and its version without reading its pictures. Throws PACKAGE_MISSING where it is not installed. */
export async function findIconSet(packageName: string, resolve: Resolve = resolveInstalled): Promise<IconSet> {
  let manifest: string;
  try {
    manifest = resolve(`${packageName}/package.json`);
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `The package ${packageName} is not installed; its pictures are part of the bundled data set. ` +
        `Run "npm ci" without --omit=dev in a clone, or "npm install ${packageName}" elsewhere.`,
      { cause },
    );
  }
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  return { packageName, version, load: () => loadPictures(packageName, resolve) };
}

async function loadPictures(packageName: string, resolve: Resolve): Promise<(name: string, size: number) => string> {
  const text = await readFile(resolve(`${packageName}/icons.json`), 'utf8');
  const set = JSON.parse(text) as IconifyJson;
  return (name, size) => {
    const icon = Object.hasOwn(set.icons, name) ? set.icons[name] : undefined;
    if (icon === undefined) {
      throw new PermafrostError(
        'PACKAGE_MISSING',
        `${packageName} has no picture "${name}"; the data set needs the version that package-lock.json names. Run "npm ci".`,
      );
    }
    const width = icon.width ?? set.width ?? DEFAULT_SIDE;
    const height = icon.height ?? set.height ?? DEFAULT_SIDE;
    return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size}" height="${size}" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`;
  };
}
