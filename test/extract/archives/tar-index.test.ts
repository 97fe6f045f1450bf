import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withLocalFile } from '../../../src/extract/archives/byte-file.ts';
import { tarIndex, type TarIndex } from '../../../src/extract/archives/tar-index.ts';
import { rejection } from '../../support/errors.ts';
import { temporaryFolders, writeTree } from '../../support/folders.ts';
import {
  bytesFile,
  members,
  paxRecords,
  sealed,
  TAR_END,
  tarOf,
  tarOfFiles,
  type TarEntry,
} from '../../support/tar-files.ts';

const folder = temporaryFolders();
const indexOf = (bytes: Buffer): Promise<TarIndex> => tarIndex(bytesFile(bytes));
const refusal = async (bytes: Buffer): Promise<string> => (await rejection(indexOf(bytes), 'ARCHIVE_CORRUPT')).message;
const paths = ({ members: found }: TarIndex): string[] => [...found.keys()];

/** What the index says that members hold. */
const contents = (bytes: Buffer, { members: found }: TarIndex): Record<string, string> =>
  Object.fromEntries(
    Array.from(found, ([path, { offset, size }]) => [path, bytes.toString('utf8', offset, offset + size)]),
  );

const LONG = `${'deep-folder/'.repeat(12)}${'n'.repeat(120)}.jpg`;
const FILES = {
  'cats/1.jpg': 'one',
  'cats/zwölf 猫.jpg': 'twelve',
  'dogs/empty.jpg': '',
  'dogs/block.jpg': 'x'.repeat(512),
  'dogs/block-and-one.jpg': 'y'.repeat(513),
  [LONG]: 'deep',
};

const hasTar = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false;

describe.skipIf(!hasTar)(hasTar ? 'archives of GNU tar' : 'archives of GNU tar [skipped: no GNU tar here]', () => {
  it.each(['gnu', 'posix', 'oldgnu'])('are listed with names and contents, in its format %s', async (format) => {
    const root = writeTree(folder(), FILES);
    const file = join(folder(), 'x.tar');
    execFileSync('tar', ['-cf', file, `--format=${format}`, '-C', root, '.']);
    const index = await withLocalFile(file, (opened) => tarIndex(opened));
    expect(contents(readFileSync(file), index)).toEqual(FILES);
    expect({ ...index, members: undefined }).toEqual({ members: undefined, illegible: [], remarks: [] });
  });

  it.each(['v7', 'ustar'])('are listed in its format %s, where names fit', async (format) => {
    const files = { 'cats/1.jpg': 'one', [`${'folder-of-some-length/'.repeat(format === 'v7' ? 2 : 6)}2.jpg`]: 'two' };
    const root = writeTree(folder(), files);
    const file = join(folder(), 'x.tar');
    execFileSync('tar', ['-cf', file, `--format=${format}`, '-C', root, '.']);
    expect(contents(readFileSync(file), await withLocalFile(file, (opened) => tarIndex(opened)))).toEqual(files);
  });

  it('have the content of hard links, and symbolic links are told', async () => {
    const root = writeTree(folder(), { 'a/1.jpg': 'one' });
    linkSync(join(root, 'a/1.jpg'), join(root, 'a/2.jpg'));
    symlinkSync('1.jpg', join(root, 'a/3.jpg'));
    const file = join(folder(), 'x.tar');
    execFileSync('tar', ['-cf', file, '--sort=name', '-C', root, '.']);
    const index = await withLocalFile(file, (opened) => tarIndex(opened));
    expect(contents(readFileSync(file), index)).toEqual({ 'a/1.jpg': 'one', 'a/2.jpg': 'one' });
    expect(index.remarks).toEqual([expect.stringMatching(/left out 1 members that are symbolic links: .*a\/3\.jpg/)]);
  });
});

describe('names in an archive', () => {
  it('come from pax and GNU headers before a member, for that member alone', async () => {
    const bytes = tarOf([
      { name: 'h', type: 'x', content: paxRecords({ path: 'päx/1.jpg', comment: 'a=b' }) },
      { name: 'short', content: 'one' },
      { name: '././@LongLink', type: 'L', content: `${LONG}\0` },
      { name: 'short', content: 'two' },
      { name: 'own.jpg', content: 'three' },
    ]);
    expect(contents(bytes, await indexOf(bytes))).toEqual({ 'päx/1.jpg': 'one', [LONG]: 'two', 'own.jpg': 'three' });
  });

  it('that stand twice are one member, the last, and told', async () => {
    const bytes = tarOf([
      { name: 'a.jpg', content: 'old' },
      { name: './a.jpg', content: 'newer' },
    ]);
    const index = await indexOf(bytes);
    expect(contents(bytes, index)).toEqual({ 'a.jpg': 'newer' });
    expect(index.remarks).toEqual([expect.stringContaining('1 members replace one of the same name before them')]);
  });

  it.each(['/etc/passwd.jpg', '../up.jpg', 'a/../../up.jpg', '..'])(
    'that lead out of it are left out and told: %s',
    async (name) => {
      const index = await indexOf(tarOfFiles({ [name]: 'x', 'in.jpg': 'y' }));
      expect(paths(index)).toEqual(['in.jpg']);
      expect(index.remarks).toEqual([`x.tar: left out 1 members whose names lead out of the archive: ${name}.`]);
    },
  );

  it('that are no UTF-8 are listed apart, their bytes legible', async () => {
    const index = await indexOf(tarOf([{ name: Buffer.from('caf\xe9.jpg', 'latin1'), content: 'x' }]));
    expect(index).toMatchObject({ illegible: ['caf\\xe9.jpg'], remarks: [] });
    expect(paths(index)).toEqual([]);
  });

  it('of links to what is not in it, devices and pipes are told; folders are nothing', async () => {
    const entries: TarEntry[] = [
      { name: 'folder/', type: '5' },
      { name: 'old-folder/' },
      { name: 'l.jpg', type: '1', target: '/etc/passwd' },
      { name: 'd.jpg', type: '3' },
      { name: 'p.jpg', type: '6' },
      { name: 'v', type: 'V' },
    ];
    const index = await indexOf(tarOf(entries));
    expect(paths(index)).toEqual([]);
    expect(index.remarks).toEqual([
      'x.tar: left out 1 members that are links to what is not in it: l.jpg.',
      'x.tar: left out 1 members that are devices: d.jpg.',
      'x.tar: left out 1 members that are pipes: p.jpg.',
      'x.tar: left out 1 members that are of a type that is not read ("V"): v.',
    ]);
  });
});

describe('an archive that is damaged', () => {
  const whole = tarOfFiles({ 'a/1.jpg': 'one', 'a/2.jpg': 'x'.repeat(600), 'b/3.jpg': 'three' });
  const end = whole.length - TAR_END.length;

  it('is refused wherever it is cut off, but for what pads its end', async () => {
    expect(paths(await indexOf(whole))).toHaveLength(3);
    for (let length = 0; length < end + 512; length += 64)
      expect(await refusal(whole.subarray(0, length))).toMatch(/^x\.tar is damaged or cut off at byte \d+ of \d+: /);
    expect(paths(await indexOf(whole.subarray(0, end + 512)))).toHaveLength(3);
  });

  it('names the byte where its content ends too early', async () => {
    expect(await refusal(whole.subarray(0, 512 + 512 + 512 + 300))).toContain(
      'at byte 1024 of 1836: its content of 600 bytes does not end in the file, 300 are missing',
    );
  });

  it('is refused for any byte of a header that is not what was written', async () => {
    for (const header of [0, 1024])
      for (let at = header; at < header + 512; at += 7) {
        const changed = Buffer.from(whole);
        changed[at]! ^= 0x15;
        expect(await refusal(changed)).toContain(`at byte ${header} of`);
      }
  });

  it('is refused for a size that is no number, a sparse file, and pax records that are none', async () => {
    const noNumber = Buffer.from(whole);
    noNumber.write('12x', 124);
    sealed(noNumber.subarray(0, 512));
    expect(await refusal(noNumber)).toContain('its size is no octal number ("12x0000');
    expect(await refusal(tarOf([{ name: 's.jpg', type: 'S' }]))).toContain('it is a sparse file');
    const sparse = { name: 'h', type: 'x', content: paxRecords({ 'GNU.sparse.major': '1' }) };
    expect(await refusal(tarOf([sparse, { name: 's.jpg' }]))).toContain('it is a sparse file (GNU.sparse.major)');
    for (const content of ['nonsense', '99 path=x\n', '9 path=x\n9', '-1 path=x\n'])
      expect(await refusal(tarOf([{ name: 'h', type: 'x', content }]))).toContain('its pax records are damaged');
  });

  it('is refused for a block of zeros before its end; what follows its end is told', async () => {
    const lone = Buffer.concat([
      members([{ name: 'a.jpg' }]),
      Buffer.alloc(512),
      members([{ name: 'b.jpg' }]),
      TAR_END,
    ]);
    expect(await refusal(lone)).toContain('at byte 512 of');
    const { remarks, ...index } = await indexOf(
      Buffer.concat([tarOfFiles({ 'a.jpg': '1' }), tarOfFiles({ 'b.jpg': '2' })]),
    );
    expect(paths({ remarks, ...index })).toEqual(['a.jpg']);
    expect(remarks).toEqual([expect.stringContaining('goes on behind its end at byte 1024')]);
  });

  it('is refused for a size beyond the file, in base 256 and in a pax header too', async () => {
    expect(await refusal(tarOf([{ name: 'a.jpg', size: 2 ** 40, inBase256: true }]))).toContain('are missing');
    const large = { name: 'h', type: 'x', content: paxRecords({ size: '99999999' }) };
    expect(await refusal(tarOf([large, { name: 'a.jpg' }]))).toContain('99999999 bytes does not end in the file');
  });
});

it('an archive without members is one', async () => {
  expect(paths(await indexOf(TAR_END))).toEqual([]);
});

it.each([
  ['1f8b08', 'gzip', 'gunzip -k x.tar'],
  ['28b52ffd', 'Zstandard', 'unzstd -k x.tar'],
  ['504b0304', 'ZIP', 'unzip -d FOLDER x.tar'],
])('a compressed file is refused with the way on: %s', async (magic, kind, way) => {
  const bytes = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.alloc(600)]);
  const { message } = await rejection(indexOf(bytes), 'DATASET_LAYOUT');
  expect(message).toContain(`is compressed (${kind})`);
  expect(message).toContain(way);
});

it('contents are skipped, but for small files that are asked for', async () => {
  const bytes = tarOfFiles({ 'a.jpg': 'x'.repeat(10 ** 6), 'a.cls': '7', 'b.jpg': 'y'.repeat(10 ** 6), 'b.cls': '8' });
  const file = bytesFile(bytes);
  const given: string[] = [];
  await tarIndex(file, {
    wants: (path) => path.endsWith('.cls'),
    give: (path, bytes) => given.push(`${path} ${bytes.toString()}`),
  });
  expect(given).toEqual(['a.cls 7', 'b.cls 8']);
  expect(file.counts.bytes).toBeLessThan(30_000);
});
