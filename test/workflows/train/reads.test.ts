import type * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { train } from '../../../src/workflows/train/train.ts';
import { temporaryFolders } from '../../support/folders.ts';
import { storedRow } from '../../support/stored-rows.ts';
import { fillStore } from '../../support/stores.ts';

/** Names of the files that are opened to be read. */
const opened = vi.hoisted(() => [] as string[]);
vi.mock('node:fs/promises', async (original) => {
  const system = await original<typeof fs>();
  const open: typeof system.open = (path, flags, mode) => {
    if (typeof path === 'string' && flags !== 'wx') opened.push(path);
    return system.open(path, flags, mode);
  };
  return { ...system, open };
});

const folder = temporaryFolders();
const ROWS = Array.from({ length: 400 }, (_, i) =>
  storedRow(`${String(i).padStart(3, '0')}.jpg`, {
    label: i % 2 === 0 ? 'ant' : 'bee',
    split: i % 4 === 3 ? 'val' : 'train',
  }),
);

let store: string;
let list: string;
beforeEach(async () => {
  store = join(folder(), 'store');
  const widths = { flatten: 20_000, avg: 6, max: 6 };
  const { manifest } = await fillStore(store, ROWS, { perShard: 50, widths });
  list = join(store, manifest.dataset.samples!.name);
  opened.length = 0;
});

it.each([
  ['in memory', '2GB'],
  ['in streams', '384MB'],
])('a training %s reads the list of samples once', async (where, memory) => {
  const notes: string[] = [];
  const listener = { note: (text: string) => void notes.push(text) };
  const options = { head: 'centroid', pooling: 'flatten', memory, out: join(folder(), 'head') } as const;
  await train(store, options, {}, { listener });
  expect(notes.some((text) => text.includes('are read in streams'))).toBe(where === 'in streams');
  expect(opened.filter((path) => path === list)).toHaveLength(1);
  expect(opened.length).toBeGreaterThan(8);
});
