import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redisHere, startRedis } from './redis.ts';
import { s3Here, startS3 } from './s3.ts';
import { slurmHere, startSlurm } from './slurm.ts';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.skipIf(redisHere.isSkipped)(redisHere.needs('Redis of the tests'), () => {
  it('keeps what was written through SIGKILL, and is gone after stop', async () => {
    const redis = await startRedis();
    expect(await redis.command('SET', 'key', 'value')).toBe('OK');
    // Written at once, and synced each second at the latest.
    await redis.kill();
    await expect(redis.command('GET', 'key')).rejects.toThrow();
    await redis.restart();
    expect(await redis.command('GET', 'key')).toBe('value');
    const pid = redis.pid();
    await redis.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('speaks TLS with a certificate that only its authority vouches for, and knows users', async () => {
    const users = ['user worker on >secret ~permafrost:* &permafrost:* +@all -@dangerous -@admin +info'];
    const redis = await startRedis({ tls: true, users });
    expect(redis.url).toMatch(/^rediss:/);
    expect(await redis.command('ACL', 'LIST')).toContain('user worker on');
    const trusting = connect({ host: '127.0.0.1', port: redis.port, ca: readFileSync(redis.certificates!.ca) });
    await once(trusting, 'secureConnect');
    trusting.destroy();
    const wary = connect({ host: '127.0.0.1', port: redis.port });
    await expect(once(wary, 'secureConnect')).rejects.toThrow(/self-signed|unable to/);
    await redis.stop();
  });
});

describe.skipIf(s3Here.isSkipped)(s3Here.needs('the S3 server of the tests'), () => {
  it('has the buckets that it was started with, and none to strangers', async () => {
    const s3 = await startS3('images', 'parts');
    const found = await fetch(`${s3.endpoint}/images/none.png`);
    expect([403, 404]).toContain(found.status);
    await s3.stop();
    expect(isAlive(s3.pid)).toBe(false);
  });
});

describe.skipIf(slurmHere.isSkipped)(slurmHere.needs('Slurm of the tests'), () => {
  it('runs an array, and tells a task that was killed', { timeout: 120_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'permafrost-slurm-test-'));
    const script = join(folder, 'job.sh');
    const lines = ['#!/bin/bash', 'if [ "$SLURM_ARRAY_TASK_ID" = 1 ]; then kill -9 $$; fi', 'exit 0', ''];
    writeFileSync(script, lines.join('\n'));
    const slurm = await startSlurm();
    try {
      const job = await slurm.submit(script, ['--array=0-2', `--output=${folder}/%a.log`]);
      expect(await slurm.ended(job)).toEqual({ 0: 'COMPLETED', 1: 'FAILED', 2: 'COMPLETED' });
    } finally {
      await slurm.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
