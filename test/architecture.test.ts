import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/core/errors.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';

const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

/** The folders at and below `folder`, that one included; without those that are left empty. */
function folders(folder: string): string[] {
  const inside = readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true });
  return [folder, ...inside.flatMap((entry) => (entry.isDirectory() ? folders(join(folder, entry.name)) : []))];
}

describe('the documents tell the truth about the code', () => {
  it('docs/architecture.md maps every folder of the source, and no other', () => {
    const map = text('docs/architecture.md').split('## Map of the folders')[1]!;
    const mapped = [...map.matchAll(/^\| `(src\/[^`]+)` \|/gm)].map(([, path]) => path);
    expect([...mapped].sort()).toEqual(folders('src').slice(1).sort());
  });

  it('test/ mirrors src/: each of its folders is one of the source', () => {
    const own = /^test\/(support|servers|faults|fixtures|golden)(\/|$)/;
    const rooms = folders('test').filter((folder) => !own.test(folder));
    const lost = rooms.filter((folder) => !existsSync(new URL(`../${folder.replace('test', 'src')}`, import.meta.url)));
    expect(lost).toEqual([]);
  });

  it('no folder of the source is crowded but those of one kind of thing each', () => {
    const large = ['heads', 'solvers', 'format', 'page', 'commands'];
    const crowded = folders('src').filter((folder) => {
      const files = readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true });
      return files.filter((entry) => entry.isFile()).length > 20 && !large.includes(folder.split('/').at(-1)!);
    });
    expect(crowded).toEqual([]);
  });

  it('docs/architecture.md says where to change what, in files and folders that are there', () => {
    const table = text('docs/architecture.md').split('## Where to change what')[1]!.split('## ')[0]!;
    const paths = [...table.matchAll(/`(src\/[^`]+)`/g)].map(([, path]) => path!);
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter((path) => !existsSync(new URL(`../${path}`, import.meta.url)))).toEqual([]);
  });

  it('names files that are there in all documents', () => {
    const documents = ['README.md', ...readdirSync(new URL('../docs', import.meta.url)).map((name) => `docs/${name}`)];
    const lost = documents
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) =>
        [...text(path).matchAll(/\b((?:src|test|bench|docs|data)\/[\w./-]+\.(?:ts|tsx|mjs|json|md|webp))\b/g)].map(
          ([, named]) => ({ path, named: named! }),
        ),
      )
      .filter(({ named }) => !existsSync(new URL(`../${named}`, import.meta.url)));
    expect(lost).toEqual([]);
  });

  it('docs/errors.md lists every error code, and no other', () => {
    const listed = [...text('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect([...listed].sort()).toEqual([...ERROR_CODES].sort());
  });

  it('docs/commands.md lists every command, and no other', () => {
    const listed = [...text('docs/commands.md').matchAll(/^\| `npx permafrost (\w+)/gm)].map(([, name]) => name);
    expect([...listed].sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  it('README.md is read in two minutes: at most 900 words beside code and tables, ten measured numbers', () => {
    const prose = text('README.md')
      .replaceAll(/```[^]*?```/g, '')
      .split('\n')
      .filter((line) => !line.startsWith('|'))
      .join(' ');
    expect(prose.split(/\s+/).length).toBeLessThanOrEqual(900);
    const measured = text('README.md').split('## Measured')[1]!.split('## ')[0]!;
    expect(measured.match(/^\|/gm)!.length - 2).toBeLessThanOrEqual(10);
  });
});
