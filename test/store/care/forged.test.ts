import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, sha256Hex } from '../../../src/core/digest.ts';
import { reasonOf } from '../../../src/core/errors.ts';
import { openJournal } from '../../../src/store/format/journal.ts';
import { sealPath } from '../../../src/store/format/seal-beside.ts';
import { sealLines } from '../../../src/store/format/sealed-lines.ts';
import {
  JOURNALS,
  journalPath,
  taughtImagePath,
  teachSchema,
  type JournalName,
} from '../../../src/store/format/studio-files.ts';
import { ledgerPath, openLedger, type LedgerEntry } from '../../../src/store/format/sweep-ledger.ts';
import { openLooks } from '../../../src/store/format/validation-looks.ts';
import { openStore } from '../../../src/store/open.ts';
import { gc } from '../../../src/workflows/care/gc.ts';
import { inspect } from '../../../src/workflows/care/inspect.ts';
import { repair } from '../../../src/workflows/care/repair.ts';
import { verify } from '../../../src/workflows/care/verify.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { forged, forgeries, type Forgery } from '../../support/forged.ts';
import { fillStore, named } from '../../support/stores.ts';

/** Forgeries a kind; FORGERIES=2000 tries more. */
const RUNS = Number(process.env['FORGERIES'] ?? 15);
const folder = temporaryFolders();
const CONTENT = Buffer.from('an image');
const sha256 = sha256Hex(CONTENT);
let whole: string;
let store: string;

beforeAll(async () => {
  whole = join(folder(), 'whole');
  store = join(folder(), 'store');
  await fillStore(whole, named(7), { perShard: 3 });
  const teach = await openJournal(journalPath(whole, 'teach.jsonl'), teachSchema);
  await teach.append({ do: 'add-class', id: 1, name: 'ants' });
  await teach.append({ do: 'add-image', id: 2, class: 1, name: 'a.png', sha256 });
  await teach.append({ do: 'rename-class', id: 1, name: 'bees' });
  mkdirSync(join(whole, 'studio', 'images'));
  writeFileSync(taughtImagePath(whole, sha256), CONTENT);
  const features = await openJournal(journalPath(whole, 'features.jsonl'), JOURNALS['features.jsonl']);
  await features.append({ sha256, fingerprint: '0'.repeat(16), avg: 'AAAAAA==' });
  const review = await openJournal(journalPath(whole, 'review.jsonl'), JOURNALS['review.jsonl']);
  await review.append({ do: 'decide', root: '/pictures', path: '0.jpg', sha256, label: 'ants' });
  await (await openLooks(whole)).add('train', 'val', 3);
  const ledger = await openLedger(ledgerPath(whole, 'f'.repeat(16)));
  await ledger.append(entry);
  await ledger.append({ ...entry, id: 'b', head: 'ridge' });
  await ledger.close();
  expect((await verify(whole)).ok).toBe(true);
});

const score = { value: 0.5, interval: [0.4, 0.6] as [number, number], folds: [0.4, 0.6] };
const entry: LedgerEntry = {
  id: 'a',
  features: '0000:avg',
  head: 'centroid',
  params: { metric: 'cosine' },
  cut: 'block5_pool',
  pooling: 'avg',
  normalize: 'l2',
  pca: 0,
  views: 0,
  scores: { accuracy: score, balancedAccuracy: score, logLoss: score },
  fitMs: 1,
  converged: true,
  iterations: 1,
  predictions: 'AAAA',
  losses: 'AAAAAA==',
};

const sealedText = (document: Record<string, unknown>): string => {
  const rest = Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'digest'));
  return `${JSON.stringify({ ...rest, digest: sha256Hex(canonicalJson(rest)) }, null, 1)}\n`;
};

/** Everything that reads a store, and what changes it: each ends well, or with an error in words. */
async function everyReader(path: string): Promise<void> {
  const works: Record<string, () => Promise<unknown>> = {
    inspect: () => inspect(path),
    rows: async () => {
      const opened = await openStore(path);
      await opened.samples();
      const { matrix } = await opened.rows({ parts: 'avg', splits: ['train'], memory: 'matrix' });
      expect(matrix.data.every(Number.isFinite)).toBe(true);
    },
    verify: () => verify(path),
    'gc --dry-run': () => gc(path, { otherSets: true, dryRun: true }),
    repair: () => repair(path),
    'verify again': () => verify(path),
  };
  for (const [name, work] of Object.entries(works)) {
    const error: unknown = await work().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    const isInWords = error === undefined || (error instanceof Error && error.name === 'PermafrostError');
    if (!isInWords) throw new Error(`${name} ended without words: ${reasonOf(error)}`, { cause: error });
  }
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}

/** Tries forgeries of a file whose document `write` puts back with right digests. */
async function withForgeries(document: unknown, write: (changed: never) => unknown): Promise<void> {
  await fc.assert(
    fc.asyncProperty(forgeries, async (forgery: Forgery) => {
      rmSync(store, { recursive: true, force: true });
      cpSync(whole, store, { recursive: true });
      await write(forged(document, forgery) as never);
      await everyReader(store);
    }),
    { numRuns: RUNS },
  );
}

const json = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(whole, name), 'utf8')) as Record<string, unknown>;

describe('a document with something else in it, under a right digest', () => {
  it('of the manifest ends in words', async () => {
    await withForgeries(json('manifest.json'), (changed: Record<string, unknown>) => {
      for (const name of ['manifest.json', 'manifest-copy.json']) writeFileSync(join(store, name), sealedText(changed));
    });
  });

  it('of a seal of a shard ends in words, also where the manifest must be made of it', async () => {
    const name = readdirSync(whole).find((one) => /-00001\.json$/.test(one))!;
    let turn = 0;
    await withForgeries(json(name), (changed: Record<string, unknown>) => {
      writeFileSync(join(store, name), sealedText(changed));
      if (turn++ % 2 === 0) for (const one of ['manifest.json', 'manifest-copy.json']) rmSync(join(store, one));
    });
  });

  it.each(['studio/teach.jsonl.seal', 'looks.jsonl.seal'])('of %s ends in words', async (name) => {
    await withForgeries(json(name), (changed: Record<string, unknown>) => {
      writeFileSync(join(store, name), sealedText(changed));
    });
  });

  it.each(Object.keys(JOURNALS) as JournalName[])('of the journal %s ends in words', async (name) => {
    const lines = readFileSync(journalPath(whole, name), 'utf8').trimEnd().split('\n');
    const entries = lines.map((line) => (JSON.parse(line) as { entry: unknown }).entry);
    await withForgeries(entries, async (changed: unknown[]) => {
      let digest = '';
      const text = changed.map((one) => {
        digest = sha256Hex(`${digest}\n${canonicalJson(one)}`).slice(0, 16);
        return `${JSON.stringify({ entry: one, digest })}\n`;
      });
      const path = journalPath(store, name);
      writeFileSync(path, text.join(''));
      await sealLines(path);
      expect(existsSync(sealPath(path))).toBe(true);
    });
  });

  it('of the ledger of sweeps counts for nothing or is what its schema allows', async () => {
    const path = ledgerPath(store, 'f'.repeat(16));
    await withForgeries([entry, { ...entry, id: 'b' }], async (changed: Record<string, unknown>[]) => {
      const lines = changed.map((one) => `${JSON.stringify({ ...one, digest: sha256Hex(canonicalJson(one)) })}\n`);
      writeFileSync(path, lines.join(''));
      await sealLines(path);
      const ledger = await openLedger(path);
      await ledger.close();
      expect(ledger.entries.size + ledger.damaged.length).toBeGreaterThan(0);
    });
  });

  it('of the count of looks counts one head a line', async () => {
    const path = join(store, 'looks.jsonl');
    const lines = readFileSync(join(whole, 'looks.jsonl'), 'utf8').trimEnd().split('\n');
    const documents = lines.map((line) => {
      const { digest, ...rest } = JSON.parse(line) as Record<string, unknown>;
      expect(digest).toHaveLength(64);
      return rest;
    });
    await withForgeries(documents, async (changed: Record<string, unknown>[]) => {
      const text = changed.map((one) => `${JSON.stringify({ ...one, digest: sha256Hex(canonicalJson(one)) })}\n`);
      writeFileSync(path, text.join(''));
      await sealLines(path);
      const looks = await (await openLooks(store)).add('train', 'val', 1);
      expect(looks!.heads).toBeGreaterThanOrEqual(1);
      expect(Number.isFinite(looks!.heads)).toBe(true);
    });
  });
});
