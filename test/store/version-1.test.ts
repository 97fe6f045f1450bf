import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { POOLINGS } from '../../src/core/sample.ts';
import { readManifest } from '../../src/store/manifest.ts';
import { loadFeatures, readSamples } from '../../src/store/reader.ts';
import { verifyStore } from '../../src/store/verify.ts';
import { temporaryFolders } from '../support/folders.ts';

// A store as version 1 wrote it, committed: whatever comes, it must open with these values. Never make it anew.
const FIXTURE = 'test/fixtures/store-v1';
const folder = temporaryFolders();
const expected = JSON.parse(readFileSync(join(FIXTURE, 'expected.json'), 'utf8')) as {
  rows: { split: string }[];
  features: Record<string, Record<string, number[]>>;
};

describe('a store of version 1', () => {
  it('opens, every sample and every value of it, and every byte is what was written', async () => {
    const store = join(folder(), 'small.permafrost');
    cpSync(join(FIXTURE, 'store'), store, { recursive: true });
    const manifest = await readManifest(store);
    expect(await readSamples(store, manifest)).toEqual(expected.rows);
    expect(manifest.dataset.failures).toHaveLength(1);
    for (const pooling of POOLINGS) {
      const loaded = await loadFeatures(store, manifest, pooling, ['train', 'val']);
      for (const [split, { X }] of loaded) expect([...X.data]).toEqual(expected.features[pooling]![split]);
    }
    expect(await verifyStore(store, '0.0.0')).toMatchObject({ damaged: [], orphans: [] });
  });
});
