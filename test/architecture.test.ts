import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../src/core/errors.ts';
import { COMMANDS } from '../src/cli/commands/index.ts';

const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

function sourceFiles(folder: string): string[] {
  return readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? sourceFiles(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

describe('the documents tell the truth about the code', () => {
  it('docs/architecture.md maps every source file, and no other', () => {
    const mapped = [...text('docs/architecture.md').matchAll(/^\| `(src\/[^`]+)` \|/gm)].map(
      ([, path]) => path,
    );
    expect([...mapped].sort()).toEqual(sourceFiles('src').sort());
  });

  it('docs/errors.md lists every error code, and no other', () => {
    const listed = [...text('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
    expect([...listed].sort()).toEqual([...ERROR_CODES].sort());
  });

  it('README.md lists every command, and no other', () => {
    const listed = [...text('README.md').matchAll(/^\| `npx permafrost (\w+)/gm)].map(([, name]) => name);
    expect([...listed].sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  it('README.md has at most 150 lines', () => {
    expect(text('README.md').split('\n').length).toBeLessThanOrEqual(150);
  });
});
