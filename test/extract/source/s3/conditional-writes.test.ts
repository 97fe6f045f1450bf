import { afterEach, expect, it, vi } from 'vitest';
import { requireConditionalWrites } from '../../../../src/extract/source/s3/conditional-writes.ts';
import { openS3, type S3Access } from '../../../../src/extract/source/s3/s3-access.ts';
import { rejection } from '../../../support/errors.ts';
import { s3Environment, startStorage } from '../../../support/s3-storage.ts';

afterEach(() => vi.unstubAllEnvs());

async function storage(objects: Map<string, Uint8Array>, isConditional: boolean): Promise<S3Access> {
  const endpoint = await startStorage(objects, { isConditional });
  for (const [name, value] of Object.entries(s3Environment(endpoint))) vi.stubEnv(name, value);
  return openS3();
}

it('takes a storage that heeds If-None-Match, and leaves nothing there', async () => {
  const objects = new Map<string, Uint8Array>();
  const s3 = await storage(objects, true);
  await requireConditionalWrites(s3, { bucket: 'b', key: 'stores/x' });
  expect([...objects.keys()]).toEqual([]);
  s3.close();
});

it('refuses a storage that writes over what is there', async () => {
  const objects = new Map<string, Uint8Array>();
  const s3 = await storage(objects, false);
  const { message } = await rejection(requireConditionalWrites(s3, { bucket: 'b', key: '' }), 'STORE_WRITE');
  expect(message).toContain('If-None-Match');
  expect([...objects.keys()]).toEqual([]);
  s3.close();
});
