import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { openHead as OpenHead } from '../../src/workflows/train/files/head-files.ts';
import { built } from '../support/built.ts';
import { linesOf } from './state.ts';

const { openHead } = await built<{ readonly openHead: typeof OpenHead }>('workflows/train/files/head-files.js');

type Entry = Readonly<Record<string, unknown>>;
type Said =
  { readonly file: string; readonly entry: Entry } | { readonly saved: string } | { readonly refused: string };

const holds = (entry: Entry, wanted: Entry): boolean =>
  Object.entries(wanted).every(([key, value]) => entry[key] === value);

/** What a studio said is done (studio-session.mjs) and is not in its store: entries of journals, in their order; files. */
export async function lostOf(store: string, stdout: string): Promise<string[]> {
  const said = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Said);
  const lost: string[] = [];
  const left = new Map<string, Entry[]>();
  for (const one of said) {
    if ('refused' in one) {
      if (/ INTERNAL /.test(one.refused)) lost.push(`no error in words: ${one.refused}`);
    } else if ('saved' in one) {
      if (!existsSync(one.saved)) lost.push(`${one.saved} is not there`);
      else if (statSync(one.saved).size === 0) lost.push(`${one.saved} is empty`);
      else if (one.saved.endsWith('.safetensors'))
        await openHead(one.saved).catch((error: unknown) => lost.push(`${one.saved}: ${String(error)}`));
    } else {
      const file = join(store, 'studio', one.file);
      // One entry stands for one change, and the next one comes behind it.
      const entries = left.get(file) ?? linesOf(file).map((line) => (JSON.parse(line) as { entry: Entry }).entry);
      const at = entries.findIndex((entry) => holds(entry, one.entry));
      if (at < 0) lost.push(`${one.file} lacks ${JSON.stringify(one.entry)}`);
      left.set(file, entries.slice(at + 1));
    }
  }
  return lost;
}
