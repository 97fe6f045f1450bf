import { randomUUID } from 'node:crypto';
import { belowS3, parseS3Address } from '../../../extract/source/s3/address.ts';
import type { S3Access } from '../../../extract/source/s3/s3-access.ts';
import { ABANDONED_MS, hostInName, progressOf, progressText, unitName, type UnitUnderWay } from '../unit-folder.ts';

/**
 * Units under way in S3: each an object `.u-00017.<host>.<uuid>.json` beside the units, which its worker writes again
 * and again, and which is no part of a unit. A request costs money, so it is not written as often as on a disk.
 */
const BEAT_MS = 20_000;
const BEAT = /^\.u-(\d{5,})\.(.*)\.[0-9a-f]{8}-[0-9a-f-]{27}\.json$/;
const CLOCK_NAME = '.clock';

/** A worker's signs of life of one unit. */
export interface UnitBeat {
  advance(done: number, of: number): void;
  /** Takes away what was written. Never rejects: a unit that is finished is not looked for here. */
  end(): Promise<void>;
}

/** Milliseconds since 1970 by the storage's clock: that of this machine may be another one. */
async function storageTime(s3: S3Access, root: string): Promise<number> {
  const clock = parseS3Address(belowS3(root, `${CLOCK_NAME}-${randomUUID()}`));
  await s3.write(clock, Buffer.from(''));
  const { changedMs } = await s3.facts(clock);
  await s3.remove(clock);
  return changedMs;
}

/** The units that are under way, or were when their workers died; of one unit, or of all. Throws as S3Access does. */
export async function beatsIn(s3: S3Access, root: string, unit?: number): Promise<UnitUnderWay[]> {
  const name = unit === undefined ? '.u-' : `.${unitName(unit)}.`;
  const prefix = parseS3Address(belowS3(root, name));
  const from = prefix.key.length - name.length;
  const found: UnitUnderWay[] = [];
  let now: number | undefined;
  for await (const page of s3.list(prefix))
    for (const { key, changedMs } of page) {
      const [, digits, host = ''] = BEAT.exec(key.slice(from)) ?? [];
      if (digits === undefined) continue;
      now ??= await storageTime(s3, root);
      const path = belowS3(root, key.slice(from));
      const progress = await s3.read(parseS3Address(path)).then(
        (bytes) => progressOf(bytes.toString()),
        () => undefined, // it is finished meanwhile
      );
      found.push({ unit: Number(digits), host, progress, silentMs: Math.max(0, now - changedMs), path });
    }
  return found;
}

/** Begins to tell of a unit, and takes away what dead workers told of it long ago. */
export function startBeat(s3: S3Access, root: string, unit: number): UnitBeat {
  const place = parseS3Address(belowS3(root, `.${unitName(unit)}.${hostInName()}.${randomUUID()}.json`));
  const started = performance.now();
  let [done, of] = [0, 0];
  // That a beat could not be written costs nothing but that it looks silent.
  const quietly = (work: Promise<unknown>): Promise<void> =>
    work.then(
      () => undefined,
      () => undefined,
    );
  const tell = (): Promise<void> => {
    const seconds = Math.round(performance.now() - started) / 1000;
    return quietly(s3.write(place, Buffer.from(progressText({ done, of, seconds }))));
  };
  async function begin(): Promise<void> {
    for (const { path, silentMs } of await beatsIn(s3, root, unit))
      if (silentMs > ABANDONED_MS) await s3.remove(parseS3Address(path));
  }
  let telling = tell().then(() => quietly(begin()));
  const timer = setInterval(() => void (telling = telling.then(tell)), BEAT_MS);
  timer.unref();
  return {
    advance(nowDone, nowOf) {
      [done, of] = [nowDone, nowOf];
    },
    async end() {
      clearInterval(timer);
      await telling;
      await quietly(s3.remove(place));
    },
  };
}
