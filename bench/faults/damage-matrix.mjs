// @ts-check
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** Bytes of a page that is lost or doubled. */
const PAGE = 512;

/** @param {Buffer} bytes @param {number} at @param {number} mask */
function flipped(bytes, at, mask) {
  const changed = Buffer.from(bytes);
  changed[at] = Number(changed[at]) ^ mask;
  return changed;
}

/**
 * What may happen to a file: its new bytes, null where it is gone, 'folder'; the same bytes where it cannot happen.
 * @type {Readonly<Record<string, (bytes: Buffer, other: Buffer | undefined) => Buffer | null | 'folder'>>}
 */
export const DAMAGES = {
  'flip first': (bytes) => flipped(bytes, 0, 1),
  'flip middle': (bytes) => flipped(bytes, bytes.length >> 1, 32),
  'flip last': (bytes) => flipped(bytes, bytes.length - 1, 1),
  'a byte less': (bytes) => bytes.subarray(0, -1),
  half: (bytes) => bytes.subarray(0, bytes.length >> 1),
  nothing: () => Buffer.alloc(0),
  'a byte more': (bytes) => Buffer.concat([bytes, Buffer.from('\n')]),
  'zero tail': (bytes) => Buffer.from(bytes).fill(0, Math.max(0, bytes.length - 64)),
  'zero page': (bytes) => {
    const at = Math.floor((bytes.length >> 1) / PAGE) * PAGE;
    return Buffer.from(bytes).fill(0, at, at + PAGE);
  },
  'page twice': (bytes) => {
    const page = Math.min(PAGE, bytes.length);
    const at = Math.floor((bytes.length - page) / 2);
    return Buffer.concat([bytes.subarray(0, at + page), bytes.subarray(at)]);
  },
  swapped: (bytes, other) => other ?? bytes,
  removed: () => null,
  'a folder': () => 'folder',
};

/** Files below a folder, sorted. @param {string} folder @returns {string[]} */
export const filesBelow = (folder, inside = '') =>
  readdirSync(join(folder, inside), { withFileTypes: true })
    .flatMap((entry) => {
      const name = join(inside, entry.name);
      return entry.isDirectory() ? filesBelow(folder, name) : [name];
    })
    .sort();

/**
 * Another file of its kind to be swapped with: of the same folder and ending, the next one.
 * @param {readonly string[]} files @param {string} name
 */
function otherOf(files, name) {
  const alike = files.filter((one) => extname(one) === extname(name) && dirname(one) === dirname(name));
  const some = alike.length > 1 ? alike : files;
  return some[(some.indexOf(name) + 1) % some.length];
}

/**
 * Copies a store and damages one file of it; false where the damage changes nothing.
 * @param {string} whole @param {string} store @param {string} name @param {string} damage
 */
export function damaged(whole, store, name, damage) {
  const bytes = readFileSync(join(whole, name));
  const other = otherOf(filesBelow(whole), name);
  const change = DAMAGES[damage];
  if (change === undefined) throw new Error(`no damage ${damage}`);
  const changed = change(bytes, other === undefined ? undefined : readFileSync(join(whole, other)));
  if (changed instanceof Buffer && changed.equals(bytes)) return false;
  rmSync(store, { recursive: true, force: true });
  cpSync(whole, store, { recursive: true, preserveTimestamps: true });
  const path = join(store, name);
  if (changed === null || changed === 'folder') rmSync(path);
  if (changed === 'folder') mkdirSync(path);
  if (changed instanceof Buffer) writeFileSync(path, changed);
  return true;
}

/** @param {unknown} error */
const codeOf = (error) =>
  error instanceof Error && error.name === 'PermafrostError'
    ? /** @type {{ code: string }} */ (/** @type {unknown} */ (error)).code
    : `INTERNAL ${error instanceof Error ? error.stack : String(error)}`;

/**
 * @typedef {{ damaged: readonly { name: string }[], unfinished: readonly { name: string }[], orphans: readonly string[],
 *   missing: readonly unknown[], ok: boolean }} Verified
 * @typedef {{ verify: (store: string) => Promise<Verified>, repair: (store: string) => Promise<{ next: string | null,
 *   left: readonly { name: string }[] }>, readers: Readonly<Record<string, (store: string) => Promise<unknown>>> }} Program
 */

/**
 * What of a damage is not as promised: unnoticed, an error without words, another answer, a repair that leaves damage
 * which it does not speak of.
 * @param {Program} program @param {{ whole: string, store: string, name: string, damage: string }} one
 * @param {Readonly<Record<string, string>>} expected answers of the readers
 * @param {{ isFree: (name: string, damage: string) => boolean, isRepaired: boolean }} how
 */
export async function tried(
  { verify, repair, readers },
  { whole, store, name, damage },
  expected,
  { isFree, isRepaired },
) {
  if (!damaged(whole, store, name, damage)) return undefined;
  /** @type {string[]} */
  const findings = [];
  const noticed = await notices(verify, store, name).catch((error) => `failed: ${codeOf(error)}`);
  if (noticed.includes('INTERNAL')) findings.push(`verify: ${noticed}`);
  if (noticed === 'unnoticed' && !isFree(name, damage)) findings.push('unnoticed');
  for (const [reader, read] of Object.entries(readers)) {
    const answer = await answerOf(read, store);
    if (answer.startsWith('INTERNAL')) findings.push(`${reader}: ${answer}`);
    else if (answer.startsWith('=') && answer !== expected[reader]) findings.push(`${reader} answers otherwise`);
  }
  if (isRepaired) findings.push(...(await repairs({ verify, repair }, store, name)));
  return { noticed, findings };
}

/** @param {Program['readers'][string]} read @param {string} store */
export const answerOf = (read, store) =>
  read(store).then((answer) => `=${JSON.stringify(answer)?.replaceAll(store, 'STORE')}`, codeOf);

/** @param {Program['verify']} verify @param {string} store @param {string} name */
async function notices(verify, store, name) {
  const { damaged: bad, unfinished, orphans, missing, ok } = await verify(store);
  const names = bad.map((file) => file.name);
  // A file and its seal speak of each other; so do the files of an index and of a table, and a plan and what it names.
  const kin = [name, `${name}.seal`, name.replace(/\.seal$/, '')];
  if (kin.some((one) => names.includes(one))) return 'named';
  if (names.length > 0) return `named with ${names[0]}`;
  if (unfinished.some((file) => kin.includes(file.name))) return 'unfinished';
  if (orphans.some((one) => kin.includes(one))) return 'left over';
  return orphans.length > 0 || missing.length > 0 || !ok ? 'told' : 'unnoticed';
}

/** @param {Pick<Program, 'verify' | 'repair'>} program @param {string} store @param {string} name */
async function repairs({ verify, repair }, store, name) {
  try {
    const { next, left } = await repair(store);
    const after = await verify(store);
    const untold = after.damaged.filter((file) => !left.some((one) => one.name === file.name));
    if (untold.length > 0) return [`repair leaves ${untold.map((file) => file.name).join(', ')}`];
    return after.damaged.length > 0 && next === null ? ['repair leaves damage and does not say what to do'] : [];
  } catch (error) {
    const code = codeOf(error);
    const isFolder = lstatSync(join(store, name), { throwIfNoEntry: false })?.isDirectory();
    return code.startsWith('INTERNAL') ? [`repair: ${code}`] : isFolder ? [] : [`repair: ${code} ${String(error)}`];
  }
}
