import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../../core/errors.ts';
import { removeFile } from '../atomic-file.ts';
import { ANSWERS_ENDINGS, fileProblem, headFileOfSeal, readAnswersSeal, type AnswersSeal } from './answers-seal.ts';

/** The folder of a store in which heads are kept, with the tables of their answers. */
const HEADS_FOLDER = 'heads';

const ENDINGS = Object.values(ANSWERS_ENDINGS);

/** Names, relative to the store, of a table's three files, from that of one of them; none where it is no such name. */
export function answersParts(name: string): string[] {
  const ending = ENDINGS.find((one) => name.endsWith(one));
  return ending === undefined ? [] : ENDINGS.map((one) => name.slice(0, -ending.length) + one);
}

/** The names of a store's seals of tables, relative to it, sorted. */
async function sealsIn(store: string): Promise<string[]> {
  const names = await readdir(join(store, HEADS_FOLDER)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith(ANSWERS_ENDINGS.seal))
    .sort()
    .map((name) => join(HEADS_FOLDER, name));
}

/** The tables of a store that are damaged, a file each, and how many files and bytes of tables were read. */
export async function damagedAnswers(store: string): Promise<{
  readonly damaged: readonly { readonly name: string; readonly problem: string }[];
  readonly files: number;
  readonly bytes: number;
}> {
  const damaged: { name: string; problem: string }[] = [];
  let [files, bytes] = [0, 0];
  for (const name of await sealsIn(store)) {
    files += 3;
    let seal: AnswersSeal;
    try {
      seal = await readAnswersSeal(join(store, name));
    } catch (cause) {
      damaged.push({ name, problem: reasonOf(cause) });
      continue;
    }
    for (const kind of ['parquet', 'csv'] as const) {
      const file = name.slice(0, -ANSWERS_ENDINGS.seal.length) + ANSWERS_ENDINGS[kind];
      const problem = await fileProblem(join(store, file), seal.files[kind]);
      if (problem !== undefined) damaged.push({ name: file, problem });
      bytes += seal.files[kind].bytes;
    }
  }
  return { damaged, files, bytes };
}

/**
 * The files of tables whose head is gone, or that were made of another list of samples than the store has, `list` its
 * SHA-256: who reads them would take labels and splits for those that count now. Names relative to the store; damaged
 * tables are not among them.
 */
export async function staleAnswers(store: string, list: string | undefined): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await sealsIn(store)) {
    const seal = await readAnswersSeal(join(store, name)).catch(() => undefined);
    if (seal === undefined) continue;
    if (seal.of.list === list && existsSync(headFileOfSeal(join(store, name), seal))) continue;
    stale.push(...answersParts(name).filter((part) => existsSync(join(store, part))));
  }
  return stale;
}

/** Removes the table beside a head's file, where there is one. The seal goes first. Throws STORE_WRITE. */
export async function removeAnswers(files: { readonly [Kind in keyof typeof ANSWERS_ENDINGS]: string }): Promise<void> {
  for (const file of [files.seal, files.parquet, files.csv]) await removeFile(file);
}
