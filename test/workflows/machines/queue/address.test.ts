import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { queueAddress } from '../../../../src/workflows/machines/queue/address.ts';
import { QUEUE_OPTIONS, type QueueOptions } from '../../../../src/workflows/machines/queue/options.ts';
import { resolveOptions } from '../../../../src/core/options.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';

const folder = temporaryFolders();
const options = (given: Partial<QueueOptions> = {}) => resolveOptions('worker', QUEUE_OPTIONS, given);
const address = (url: string, given: Partial<QueueOptions> = {}, environment: NodeJS.ProcessEnv = {}) =>
  queueAddress(url, options(given), environment);
const refused = async (work: Promise<unknown>, message: RegExp) =>
  expect((await rejection(work, 'OPTION_INVALID')).message).toMatch(message);

describe('the address of a queue', () => {
  it('is a host, a port and a database, by default 6379 and 0', async () => {
    expect(await address('redis://127.0.0.1')).toMatchObject({ host: '127.0.0.1', port: 6379, database: 0 });
    expect(await address('redis://localhost:7000/3')).toMatchObject({ port: 7000, database: 3, tls: undefined });
    expect(await address('redis://[::1]:7000')).toMatchObject({ host: '::1', shown: 'redis://[::1]:7000/0' });
    expect(await address('rediss://queue.example/1')).toMatchObject({ host: 'queue.example', tls: { ca: undefined } });
  });

  it('takes user and password from the environment, or the password from a file without its line break', async () => {
    const environment = { PERMAFROST_QUEUE_USER: 'me', PERMAFROST_QUEUE_PASSWORD: 'secret word' };
    expect(await address('redis://127.0.0.1', {}, environment)).toMatchObject({ user: 'me', password: 'secret word' });
    const file = join(folder(), 'password');
    writeFileSync(file, ' from a file\n');
    const found = await address('redis://127.0.0.1', { queuePasswordFile: file });
    expect(found).toMatchObject({ user: undefined, password: ' from a file' });
    const both = address('redis://127.0.0.1', { queuePasswordFile: file }, environment);
    await refused(both, /two passwords/);
    writeFileSync(file, '\n');
    await refused(address('redis://127.0.0.1', { queuePasswordFile: file }), /is empty/);
    const none = address('redis://127.0.0.1', { queuePasswordFile: join(folder(), 'none') });
    await refused(none, /cannot be read/);
  });

  it.each(['redis://:hidden@127.0.0.1/0', 'redis://me:hidden@127.0.0.1', 'rediss://hidden@queue.example'])(
    'is refused with a user or a password in it, which is not shown: %s',
    async (url) => {
      const { message } = await rejection(address(url), 'OPTION_INVALID');
      expect(message).toMatch(/PERMAFROST_QUEUE_PASSWORD/);
      expect(message).not.toContain('hidden');
    },
  );

  it('is refused in the clear to another machine, unless that is allowed', async () => {
    for (const host of ['192.168.1.7', 'queue.example', '128.0.0.1', '127.example.com'])
      await refused(address(`redis://${host}/0`), /not encrypted.*--insecure/);
    expect(await address('redis://192.168.1.7/0', { insecure: true })).toMatchObject({ host: '192.168.1.7' });
  });

  it.each([
    ['http://127.0.0.1', {}, /begins with http:/],
    ['127.0.0.1:6379', {}, /no URL/],
    ['redis://', {}, /no host|no URL/],
    ['redis://127.0.0.1/zero', {}, /a number, got "\/zero"/],
    ['redis://127.0.0.1/0?family=6', {}, /mean nothing/],
    ['redis://127.0.0.1', { queueCa: 'ca.pem' }, /is for rediss/],
    ['rediss://queue.example', { insecure: true }, /always proves the server/],
    ['redis://127.0.0.1', { queuePrefix: 'a:b' }, /--queue-prefix takes/],
  ])('is refused: %s', async (url, given, message) => {
    await refused(address(url, given), message);
  });
});
