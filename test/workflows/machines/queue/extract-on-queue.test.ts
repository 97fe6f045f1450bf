import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PASSWORD_VARIABLE } from '../../../../src/workflows/machines/queue/address.ts';
import { redisHere, startRedis } from '../../../servers/redis.ts';
import { s3Here, startS3 } from '../../../servers/s3.ts';
import { permafrost, type CommandOptions, type Finished } from '../../../support/command.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { promisedFiles } from '../../../support/machines.ts';
import { noiseDataset, twoClasses } from '../../../support/noise-dataset.ts';

const folder = temporaryFolders();
/** block1_pool is cheap, and six rows of it fill a shard of 10 MiB. */
const FLAGS = ['--engine', 'onnxruntime', '--precision', 'fp32', '--cut', 'block1_pool', '--shard-megabytes', '10'];

interface Line {
  readonly event?: string;
  readonly plan?: string;
  readonly units?: Readonly<Record<string, number>>;
  readonly error?: { readonly code: string };
  readonly failed?: readonly { readonly path: string; readonly code: string }[];
}

/** The documents of a command's stdout, one a line. */
const linesOf = ({ stdout }: Finished): Line[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);

describe.skipIf(redisHere.isSkipped)(redisHere.needs('extract on a queue'), () => {
  it('gives the store of one machine, byte by byte, though a worker and its network are killed on the way', async () => {
    const redis = await startRedis();
    try {
      const dataset = await noiseDataset(join(folder(), 'data'), { ...twoClasses(15), 'b/broken.png': 'no picture' });
      copyFileSync(join(dataset, 'a/p10.png'), join(dataset, 'b/z-copy.png'));
      const [one, many] = [join(folder(), 'store'), join(folder(), 'store')];
      expect((await permafrost(['extract', dataset, '--store', one, ...FLAGS])).code).toBe(3);

      const env = { [PASSWORD_VARIABLE]: redis.password };
      const extract = (...more: readonly string[]) =>
        permafrost(['extract', dataset, '--store', many, ...FLAGS, '--queue', redis.url, ...more], { env });
      const filled = await extract('--json');
      expect(filled.code).toBe(0);
      const [{ plan, ...first }] = linesOf(filled) as [Line];
      expect(first).toMatchObject({ event: 'filled', units: { total: 6, there: 0, queued: 6, before: 0 } });
      expect(filled.stdout + filled.stderr + readFileSync(join(plan!, 'plan.json'), 'utf8')).not.toContain(
        redis.password,
      );

      const lease = ['--lease-seconds', '2', '--lease-check-seconds', '0.5'];
      const work = (options: CommandOptions = {}) =>
        permafrost(['worker', redis.url, '--plan', plan!, ...lease, '--json'], { env, ...options });
      const killed = await work({
        during: (child) => {
          child.stdout!.once('data', () => child.kill('SIGKILL'));
        },
      });
      expect(killed.code).toBeNull();
      expect(linesOf(killed)[0]).toMatchObject({ event: 'unit', outcome: 'made' });
      const [waited, ...workers] = await Promise.all([extract('--wait', '--json'), work(), work()]);
      for (const worker of workers) expect(linesOf(worker).at(-1)).toMatchObject({ event: 'end', missing: 0 });
      const told = linesOf(waited);
      expect(told.map(({ event }) => event).filter((event, i, all) => event !== all[i - 1])).toEqual([
        'filled',
        'progress',
        'merged',
      ]);
      expect(told.at(-1)!.failed!.map(({ path, code }) => ({ path, code }))).toEqual([
        { path: 'b/broken.png', code: 'IMAGE_UNDECODABLE' },
      ]);
      expect(waited.code).toBe(3);
      expect(promisedFiles(many)).toEqual(promisedFiles(one));
      expect(existsSync(join(many, 'parts'))).toBe(false);
      // Nothing of the run stays on the server, what expires by itself aside.
      await expect.poll(() => redis.command('KEYS', '*'), { timeout: 10_000 }).toBe('');
    } finally {
      await redis.stop();
    }
  });

  it('fills only what is missing when it is said again, and refuses what is for one machine', async () => {
    const redis = await startRedis();
    try {
      const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(4));
      const store = join(folder(), 'store');
      const env = { [PASSWORD_VARIABLE]: redis.password };
      const extract = (...more: readonly string[]) =>
        permafrost(['extract', dataset, '--store', store, ...FLAGS, '--queue', redis.url, '--unit', '4', ...more], {
          env,
        });
      expect((await extract()).stdout).toMatch(/units +2: 0 there, 2 on the queue\n[^]*permafrost worker redis:/);
      expect(linesOf(await extract('--json'))).toMatchObject([{ units: { total: 2, queued: 2, before: 2 } }]);
      const verify = await extract('--verify', '--json');
      expect(verify.code).toBe(2);
      expect(linesOf(verify)).toMatchObject([{ error: { code: 'OPTION_INVALID' } }]);
      const lonely = await permafrost(['extract', dataset, '--wait', '--queue-ca', 'x']);
      expect(lonely).toMatchObject({ code: 2, stdout: '' });
      expect(lonely.stderr).toMatch(/--wait, --queue-ca goes? with --queue alone/);
    } finally {
      await redis.stop();
    }
  });

  it.skipIf(s3Here.isSkipped)(
    s3Here.needs('gives the store of one machine where the plan lies in S3, and workers share no folder'),
    async () => {
      const [redis, s3] = [await startRedis(), await startS3('runs')];
      try {
        const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(9));
        const [one, many] = [join(folder(), 'store'), join(folder(), 'store')];
        expect((await permafrost(['extract', dataset, '--store', one, ...FLAGS])).code).toBe(0);
        const env = { [PASSWORD_VARIABLE]: redis.password, ...s3.env };
        const queue = ['--queue', redis.url, '--at', 's3://runs'];
        const extract = (...more: readonly string[]) =>
          permafrost(['extract', dataset, '--store', many, ...FLAGS, ...queue, '--json', ...more], { env });
        const [filled] = linesOf(await extract()) as [Line];
        expect(filled).toMatchObject({ event: 'filled', units: { total: 3, there: 0, queued: 3, before: 0 } });
        expect(filled.plan).toMatch(/^s3:\/\/runs\/[0-9a-f]{16}$/);
        const work = () => permafrost(['worker', redis.url, '--plan', filled.plan!, '--json'], { env });
        const [waited, ...workers] = await Promise.all([extract('--wait'), work(), work()]);
        for (const worker of workers) expect(linesOf(worker).at(-1)).toMatchObject({ event: 'end', missing: 0 });
        expect(waited.code).toBe(0);
        expect(linesOf(waited).at(-1)).toMatchObject({ event: 'merged', added: 18 });
        expect(promisedFiles(many)).toEqual(promisedFiles(one));
        expect(existsSync(join(many, 'parts'))).toBe(false);
        await expect.poll(() => redis.command('KEYS', '*'), { timeout: 10_000 }).toBe('');
      } finally {
        await Promise.all([redis.stop(), s3.stop()]);
      }
    },
  );

  it('says at once where the server is away, before it plans', async () => {
    const redis = await startRedis();
    await redis.stop();
    const dataset = await noiseDataset(join(folder(), 'data'), twoClasses(2));
    const store = join(folder(), 'store');
    const { code, stderr } = await permafrost(['extract', dataset, '--store', store, '--queue', redis.url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\[QUEUE_UNAVAILABLE\]/);
    expect(existsSync(store)).toBe(false);
  });
});
