import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openS3, type S3Access } from '../../../../src/extract/source/s3/s3-access.ts';
import { rejection } from '../../../support/errors.ts';
import { s3Environment, startProxy, startStorage, type Disturbance, type Proxy } from '../../../support/s3-storage.ts';

const content = Buffer.alloc(300_000, 7);
const address = { bucket: 'b', key: 'a/1.jpg' };

let disturb: (asked: string, count: number) => Disturbance;
let proxy: Proxy;
let s3: S3Access;

beforeEach(async () => {
  disturb = () => 'pass';
  const endpoint = await startStorage(new Map([[address.key, content]]));
  proxy = await startProxy(endpoint, (asked, count) => disturb(asked, count));
  for (const [name, value] of Object.entries(s3Environment(proxy.endpoint))) vi.stubEnv(name, value);
  s3 = await openS3();
});
afterEach(() => {
  s3.close();
  vi.unstubAllEnvs();
});

describe('an object', () => {
  it('is read whole', async () => {
    expect(await s3.read(address)).toEqual(content);
    expect(await s3.facts(address)).toMatchObject({ size: content.length });
  });

  it('is asked for again where the storage is busy', async () => {
    disturb = (_, count) => (count < 3 ? { status: 503, code: 'SlowDown' } : 'pass');
    expect(await s3.read(address)).toEqual(content);
    expect(proxy.asked).toHaveLength(3);
  });

  it('is asked for again where its answer breaks off', async () => {
    disturb = (_, count) => (count < 3 ? 'cut' : 'pass');
    expect(await s3.read(address)).toEqual(content);
    expect(proxy.asked).toHaveLength(3);
  });

  it('cannot be read where its answer breaks off again and again', async () => {
    disturb = () => 'cut';
    const { message } = await rejection(s3.read(address), 'IMAGE_UNREADABLE');
    expect(message).toMatch(/s3:\/\/b\/a\/1\.jpg was asked for 4 times: it ended after \d+ of 300000 bytes/);
  });

  it.each([
    [404, 'NoSuchKey', 'IMAGE_UNREADABLE', 'There is no such object'],
    [403, 'AccessDenied', 'IMAGE_UNREADABLE', 's3:GetObject'],
    [403, 'InvalidObjectState', 'IMAGE_UNREADABLE', 'archived'],
    [404, 'NoSuchBucket', 'DATASET_NOT_FOUND', 'Check the name of the bucket'],
    [403, 'InvalidAccessKeyId', 'DATASET_UNREACHABLE', 'AWS_PROFILE'],
    [403, 'SignatureDoesNotMatch', 'DATASET_UNREACHABLE', 'AWS_PROFILE'],
    [400, 'ExpiredToken', 'DATASET_UNREACHABLE', 'have expired'],
    [301, 'PermanentRedirect', 'DATASET_UNREACHABLE', 'Set AWS_REGION'],
    [503, 'SlowDown', 'DATASET_UNREACHABLE', 'after 2 attempts'],
  ] as const)('that is refused with %i %s is %s, and the message says what to do', async (status, code, as, advice) => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '2');
    const own = await openS3();
    disturb = () => ({ status, code });
    const { message, cause } = await rejection(own.read(address), as);
    expect(message).toContain(`s3://b/a/1.jpg cannot be read: ${new URL(proxy.endpoint).host} said ${code} ${status}`);
    expect(message).toContain(advice);
    expect(`${message} ${JSON.stringify(cause)} ${String(cause)}`).not.toMatch(/testkey|testsecret|Signature=/);
    own.close();
  });

  it('cannot be had where nobody answers', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '2');
    const own = await openS3();
    const { message } = await rejection(own.read(address), 'DATASET_UNREACHABLE');
    expect(message).toMatch(/127\.0\.0\.1:1 said .*ECONNREFUSED.*does not answer/);
    own.close();
  });

  it('is not waited for after a signal', async () => {
    const controller = new AbortController();
    disturb = () => ({ status: 503, code: 'SlowDown' });
    const work = rejection(s3.read(address, { signal: controller.signal }), 'INTERRUPTED');
    controller.abort();
    await work;
  });
});

describe('a listing', () => {
  it('that is denied is no fault of an image', async () => {
    disturb = () => ({ status: 403, code: 'AccessDenied' });
    const { message } = await rejection(s3.list({ bucket: 'b', key: 'a/' }).next(), 'DATASET_UNREACHABLE');
    expect(message).toContain('s3:ListBucket');
  });
});

describe('the environment', () => {
  it('is checked before anything is asked', async () => {
    vi.stubEnv('PERMAFROST_S3_PATH_STYLE', 'yes');
    expect((await rejection(openS3(), 'OPTION_INVALID')).message).toContain('PERMAFROST_S3_PATH_STYLE is "yes"');
    vi.stubEnv('PERMAFROST_S3_PATH_STYLE', '');
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'localhost:9000');
    expect((await rejection(openS3(), 'OPTION_INVALID')).message).toContain('AWS_ENDPOINT_URL_S3');
  });

  it('may say that requests have no credentials, as of a public bucket', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined);
    const without = await openS3();
    expect((await rejection(without.read(address), 'DATASET_UNREACHABLE')).message).toContain(
      'No credentials were found',
    );
    vi.stubEnv('PERMAFROST_S3_ANONYMOUS', '1');
    const own = await openS3();
    expect(await own.read(address)).toEqual(content);
    without.close();
    own.close();
  });
});
