import { afterEach, describe, expect, it, vi } from 'vitest';
import { scanDataset, sourceOf } from '../../../../src/extract/dataset/dataset.ts';
import { imageSource } from '../../../../src/extract/source/open.ts';
import { rejection } from '../../../support/errors.ts';
import { s3Environment, startStorage, type StorageOptions } from '../../../support/s3-storage.ts';
import { tarOfFiles } from '../../../support/tar-files.ts';

const TRAIN = { '0.jpg': 'cat zero', '0.cls': '0', '1.jpg': 'dog one', '1.cls': '1' };
const VAL = { '2.jpg': 'cat two', '2.cls': '0', '3.jpg': 'dog three', '3.cls': '1' };

afterEach(() => vi.unstubAllEnvs());

/** A bucket `b` with such objects. */
async function bucket(objects: Readonly<Record<string, string | Buffer>>, options: StorageOptions = {}): Promise<void> {
  const stored = new Map(Object.entries(objects).map(([key, bytes]) => [key, Buffer.from(bytes as string)] as const));
  const endpoint = await startStorage(stored, options);
  for (const [name, value] of Object.entries(s3Environment(endpoint))) vi.stubEnv(name, value);
}

describe('archives in S3', () => {
  it('are listed below a prefix, with classnames.txt, and their images are read by parts', async () => {
    const large = { ...TRAIN, '9.jpg': 'x'.repeat(300_000), '9.cls': '1' };
    await bucket({
      'set/train-0.tar': tarOfFiles(large),
      'set/val-0.tar': tarOfFiles(VAL),
      'set/classnames.txt': 'cat\ndog\n',
    });
    const found = await scanDataset('s3://b/set');
    expect(found.samples.map(({ path, label, split }) => `${path} ${label} ${split}`)).toEqual([
      'train-0.tar/0.jpg cat train',
      'train-0.tar/1.jpg dog train',
      'train-0.tar/9.jpg dog train',
      'val-0.tar/2.jpg cat val',
      'val-0.tar/3.jpg dog val',
    ]);
    const source = await sourceOf(found);
    expect((await source.read('train-0.tar/1.jpg')).toString()).toBe('dog one');
    expect((await source.read('train-0.tar/9.jpg')).toString()).toBe(large['9.jpg']);
    expect(await source.stamp('val-0.tar/2.jpg')).not.toEqual(await source.stamp('val-0.tar/3.jpg'));
    await source.close();
  });

  it('are named by an address or a pattern', async () => {
    await bucket({ 's-0.tar': tarOfFiles(TRAIN), 's-1.tar': tarOfFiles(VAL), 's-2.tar': tarOfFiles(VAL) });
    const one = await scanDataset('s3://b/s-0.tar');
    expect(one).toMatchObject({ root: 's3://b/s-0.tar', samples: [{ path: '0.jpg' }, { path: '1.jpg' }] });
    const some = await scanDataset('s3://b/s-{0..1}.tar');
    expect(some.samples.map(({ path }) => path)).toEqual([
      's-0.tar/0.jpg',
      's-0.tar/1.jpg',
      's-1.tar/2.jpg',
      's-1.tar/3.jpg',
    ]);
    for (const { root, samples } of [one, some]) {
      const source = await imageSource(root);
      expect((await source.read(samples[0]!.path)).toString()).toBe('cat zero');
      await source.close();
    }
    const { message } = await rejection(scanDataset('s3://b/s-{1..3}.tar'), 'DATASET_NOT_FOUND');
    expect(message).toContain('s3://b/s-3.tar');
  });

  it('cannot be read where the storage gives no parts of objects', async () => {
    // Larger than what is asked for at once.
    await bucket({ 'set/a.tar': tarOfFiles({ ...TRAIN, '9.jpg': Buffer.alloc(5_000_000) }) }, { hasRanges: false });
    const { message } = await rejection(scanDataset('s3://b/set/a.tar'), 'DATASET_NOT_FOUND');
    expect(message).toContain('the storage gives no parts of objects');
  });

  it('that are cut off are refused by their address', async () => {
    await bucket({ 'set/a.tar': tarOfFiles(TRAIN).subarray(0, 1100) });
    const { message } = await rejection(scanDataset('s3://b/set'), 'ARCHIVE_CORRUPT');
    expect(message).toContain('s3://b/set/a.tar is damaged or cut off at byte');
  });
});
