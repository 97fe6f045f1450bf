import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PermafrostError } from '../../core/errors.ts';
import { TOKENS } from '../../report/html/tokens.ts';

interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Where the build puts the page. */
const FOLDER = fileURLToPath(new URL('../page/', import.meta.url));

/** The built page's files by address: no address ever becomes a path. Throws PACKAGE_MISSING where it was not built. */
export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const names = await readdir(FOLDER, { recursive: true }).catch(() => [] as string[]);
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    files.set(`/${name.replaceAll('\\', '/')}`, { type, bytes: new Uint8Array(await readFile(join(FOLDER, name))) });
  }
  const start = files.get('/index.html');
  if (start === undefined)
    throw new PermafrostError('PACKAGE_MISSING', `The studio's page is not in ${FOLDER}. Run "npm run build".`);
  // The report's colours, so that both pages look alike.
  files.set('/tokens.css', { type: TYPES['.css']!, bytes: new TextEncoder().encode(TOKENS) });
  return files.set('/', start);
}
