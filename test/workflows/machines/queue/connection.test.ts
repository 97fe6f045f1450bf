import { describe, expect, it } from 'vitest';
import { PASSWORD_VARIABLE, USER_VARIABLE } from '../../../../src/workflows/machines/queue/address.ts';
import { redisHere, startRedis, type RedisServer } from '../../../servers/redis.ts';
import { permafrost, document } from '../../../support/command.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { eventsOf, sleepingPlan, startWorker } from '../../../support/sleeping-run.ts';
import { queueAddress } from '../../../../src/workflows/machines/queue/address.ts';
import { connectionNotes } from '../../../../src/workflows/machines/queue/connection.ts';
import { QUEUE_OPTIONS } from '../../../../src/workflows/machines/queue/options.ts';
import { loadQueuePackages } from '../../../../src/workflows/machines/queue/packages.ts';
import { openUnitQueue } from '../../../../src/workflows/machines/queue/unit-queue.ts';
import { defaultsOf } from '../../../../src/core/options.ts';

const folder = temporaryFolders();
const RUN = '00000000000000aa';

/** A run of two units on `redis`, filled by who `environment` says. */
async function fill(redis: RedisServer, environment: NodeJS.ProcessEnv, queueCa = '') {
  const plan = sleepingPlan(folder(), { run: RUN, units: 2, images: 1, imageMs: 5 });
  const address = await queueAddress(redis.url, { ...defaultsOf(QUEUE_OPTIONS), queueCa }, environment);
  const queue = openUnitQueue(await loadQueuePackages(), address, {
    run: RUN,
    use: 'fill',
    notes: connectionNotes(address, undefined),
  });
  await queue.fill([0, 1], { attempts: 3 });
  await queue.close();
  return plan;
}

describe.skipIf(redisHere.isSkipped)(redisHere.needs("the queue's server"), () => {
  it('speaks TLS to a user of few rights; no other authority, password or prefix is let in, and no secret told', async () => {
    const users = ['user worker on >hidden ~permafrost:* &permafrost:* +@all -@dangerous -@admin +info'];
    const redis = await startRedis({ tls: true, users });
    try {
      const queueCa = redis.certificates!.ca;
      const who = { [USER_VARIABLE]: 'worker', [PASSWORD_VARIABLE]: 'hidden' };
      const plan = await fill(redis, who, queueCa);
      const work = (options: object, environment: Record<string, string>) =>
        startWorker(redis.url, { plan, ...options }, environment);
      const refused = [
        [work({}, who), /certificate.*--queue-ca/],
        [work({ queueCa }, { ...who, [PASSWORD_VARIABLE]: 'wrong-hidden' }), /WRONGPASS.*PERMAFROST_QUEUE_PASSWORD/],
        [work({ queueCa }, {}), /NOAUTH/],
      ] as const;
      for (const [worker, message] of refused) {
        const said = await worker.ended;
        expect(said).toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: expect.stringMatching(message) as string });
        expect(JSON.stringify(said) + worker.notes()).not.toContain('hidden');
      }
      expect(eventsOf(plan)).toEqual([]);
      const right = work({ queueCa }, who);
      expect(await right.ended).toMatchObject({ units: { made: 2 }, missing: 0 });
      expect(right.notes()).not.toContain('hidden');
    } finally {
      await redis.stop();
    }
  });

  it('is not written to by one that only looks: what the end of a run cleared stays cleared', async () => {
    const redis = await startRedis();
    try {
      const options = defaultsOf(QUEUE_OPTIONS);
      const address = await queueAddress(redis.url, options, { [PASSWORD_VARIABLE]: redis.password });
      const notes = connectionNotes(address, undefined);
      const packages = await loadQueuePackages();
      const keys: unknown[] = [];
      for (const use of ['look', 'fill'] as const) {
        const queue = openUnitQueue(packages, address, { run: RUN, use, notes });
        expect(await queue.counts()).toEqual({ waiting: 0, active: 0, failed: 0 });
        await queue.close();
        keys.push(await redis.command('KEYS', '*'));
      }
      expect(keys).toEqual(['', `permafrost:units-${RUN}:meta`]);
    } finally {
      await redis.stop();
    }
  });

  it('may be away: a worker then says so at once, and loads no network', async () => {
    const redis = await startRedis();
    await redis.stop();
    const plan = sleepingPlan(folder(), { run: RUN, units: 2, images: 1, imageMs: 5 });
    const ended = await startWorker(redis.url, { plan }, {}).ended;
    expect(ended).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      message: expect.stringMatching(
        /redis:\/\/127\.0\.0\.1:\d+\/0 cannot be used: .*ECONNREFUSED.*Is it running/,
      ) as string,
    });
  });

  it('is warned about where it may drop units', async () => {
    const redis = await startRedis({ settings: ['--maxmemory-policy', 'allkeys-lru'] });
    try {
      const who = { [PASSWORD_VARIABLE]: redis.password };
      const worker = startWorker(redis.url, { plan: await fill(redis, who) }, who);
      expect(await worker.ended).toMatchObject({ units: { made: 2 } });
      expect(worker.notes()).toMatch(/Warning: .*allkeys-lru.*Set noeviction/);
    } finally {
      await redis.stop();
    }
  });
});

describe('the command "worker"', () => {
  it('refuses before all else what stands wrong on its line, in one line of JSON', async () => {
    const finished = await permafrost(['worker', 'redis://queue.example/0', '--plan', 'none', '--json']);
    expect(finished.code).toBe(2);
    expect(document(finished)).toMatchObject({ error: { code: 'OPTION_INVALID' } });
    expect(finished.stdout.trim().split('\n')).toHaveLength(1);
    const secret = await permafrost(['worker', 'redis://:hidden@127.0.0.1/0', '--plan', 'none']);
    expect(secret).toMatchObject({ code: 2, stdout: '' });
    expect(secret.stderr).not.toContain('hidden');
    expect((await permafrost(['worker', 'redis://127.0.0.1/0'])).stderr).toMatch(/needs --plan/);
  });

  it('says what to install where the packages are missing', async () => {
    const hide = `data:text/javascript,${encodeURIComponent(
      `import { register } from 'node:module'; register('data:text/javascript,' + encodeURIComponent(\`
        export function resolve(name, context, next) {
          if (name === 'bullmq') throw Object.assign(new Error("Cannot find package 'bullmq'"), { code: 'ERR_MODULE_NOT_FOUND' });
          return next(name, context);
        }\`));`,
    )}`;
    const { code, stderr } = await permafrost(['worker', 'redis://127.0.0.1/0', '--plan', 'none'], {
      node: ['--import', hide],
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/npm install bullmq ioredis.*\[PACKAGE_MISSING\]/);
  });
});
