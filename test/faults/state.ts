import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../src/core/digest.ts';
import { filesOf } from '../support/stores.ts';

/**
 * What legitimately differs from run to run: times, what is remembered only to spare work, and the lock of a process
 * that could not remove it, which the next writer takes over.
 */
const VARIES = [
  /(^|\/)writer\.lock/,
  /^file-times/,
  /^sketches/,
  /\.jsonl(\.|$)/,
  /^failures\.csv$/,
  /^results\.json/,
  /^report\.html/,
  /^sweeps\//,
];

/** The random part of the name of a file that is not whole yet. */
const TEMPORARY = /\.[A-Za-z0-9-]{1,20}-[0-9a-f]{8}\.\d+\.[0-9a-f]{8}\.tmp$/;

export type Content = Readonly<Record<string, string>>;

/** Files by name that are the same after every run. */
export function contentOf(folder: string): Content {
  return Object.fromEntries(Object.entries(filesOf(folder)).filter(([name]) => !VARIES.some((one) => one.test(name))));
}

/** Names of files that only one of two folders has, or that have other bytes. */
export function differences(a: Content, b: Content): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
}

/** Whether files that are not whole yet lie there: a run that ends well leaves none. */
export const isUnfinishedName = (name: string): boolean => TEMPORARY.test(name);

/**
 * Names what lies in a folder, so that two runs which left the same are known by it: names and bytes of all files, but
 * for random names, the contents of locks, and times.
 */
export function stateOf(folder: string): string {
  if (!existsSync(folder)) return 'nothing';
  const files = Object.entries(filesOf(folder)).map(([name, bytes]) => {
    const plain = name.replace(TEMPORARY, '.tmp');
    if (/(^|\/)writer\.lock/.test(plain) || plain.startsWith('file-times')) return [plain, bytes.length > 0];
    return [plain, sha256Hex(Buffer.from(bytes, 'latin1'))];
  });
  return sha256Hex(canonicalJson(files.map((file) => canonicalJson(file)).sort()));
}

export const isStore = (folder: string): boolean => existsSync(join(folder, 'manifest.json'));

/** The whole lines of a file; none where it is not there. */
export const linesOf = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
