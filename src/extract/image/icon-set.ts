import { readFile } from 'node:fs/promises';
import { PermafrostError, reasonOf } from '../../core/errors.ts';

/** Pictures of one style, in Iconify's JSON format (iconify.design/docs/types/iconify-json.html) with their source. */
export interface IconSet {
  /** The npm package that the pictures were taken from, and its version: `name@1.2.3`. */
  readonly source: string;
  /** A picture by name as SVG text of `size` x `size` pixels, aspect ratio kept. Throws PACKAGE_MISSING without it. */
  readonly draw: (name: string, size: number) => string;
}

interface IconFile {
  readonly package: string;
  readonly version: string;
  readonly icons: Readonly<
    Record<string, { readonly body: string; readonly width?: number; readonly height?: number }>
  >;
  readonly width?: number;
  readonly height?: number;
}

/** Iconify's own default side of a picture that states none. */
const DEFAULT_SIDE = 16;

async function parse(file: string | URL): Promise<IconFile> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as IconFile;
  } catch (cause) {
    throw new PermafrostError(
      'PACKAGE_MISSING',
      `The pictures of the bundled data set cannot be read: ${reasonOf(cause)}. They come with permafrost: install it again.`,
      { cause },
    );
  }
}

/** The icon set in `file`. Throws PACKAGE_MISSING where it cannot be read. */
export async function readIconSet(file: string | URL): Promise<IconSet> {
  const set = await parse(file);
  return {
    source: `${set.package}@${set.version}`,
    draw(name, size) {
      const icon = Object.hasOwn(set.icons, name) ? set.icons[name] : undefined;
      if (icon === undefined) {
        throw new PermafrostError('PACKAGE_MISSING', `The pictures of ${set.package} have none named "${name}".`);
      }
      const width = icon.width ?? set.width ?? DEFAULT_SIDE;
      const height = icon.height ?? set.height ?? DEFAULT_SIDE;
      return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size}" height="${size}" viewBox="0 0 ${width} ${height}">${icon.body}</svg>`;
    },
  };
}
