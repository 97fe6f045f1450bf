import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';
import { lostOf } from './studio-lost.ts';

/** A program that changes a store, or writes files elsewhere, and the folder that it begins with. */
export interface Scenario {
  readonly name: (typeof SCENARIOS)[number];
  /** A folder that is copied to be the one that is changed; undefined: there is none yet. */
  readonly base: string | undefined;
  /** Arguments of permafrost, or of `script`. */
  readonly args: (folder: string) => readonly string[];
  /** A program of its own that is started in place of the command line. */
  readonly script?: string;
  /** Where another process than the first one changes files: a text in its command line. */
  readonly within?: string;
  /** True where the store that it begins with is damaged. */
  readonly isDamaged?: true;
  /** What is to mend that which a disturbed run left; without it the same again, which is to end in the same bytes. */
  readonly mend?: (folder: string) => readonly string[];
  /** What a run said on stdout that is done, and is not there. */
  readonly lost?: (folder: string, stdout: string) => Promise<string[]>;
}

/** The names of all, in the order of makeScenarios. */
export const SCENARIOS = [
  'extract',
  'extract more',
  'run',
  'gc',
  'gc --other-sets',
  'repair',
  'migrate',
  'train',
  'sweep',
  'hnsw',
  'report',
  'studio',
  'predict --csv --sort-into',
  'export --csv',
  'export --onnx',
] as const;

/** A row of block1_pool fills a shard of 1 MiB by itself; one image an inference, so that each is computed alike. */
const EXTRACT = ['--engine', 'onnxruntime', '--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1'];

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

async function done(args: readonly string[]): Promise<void> {
  const { code, stderr } = await permafrost([...args, '--quiet']);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
}

/** Changes a byte in the middle of the first `count` files of features. */
function damage(store: string, count: number): void {
  const names = readdirSync(store).filter((name) => name.endsWith('-flatten.arrow'));
  for (const name of names.sort().slice(0, count)) {
    const bytes = readFileSync(join(store, name));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(store, name), bytes);
  }
}

/** Makes the stores below `folder`, and gives all scenarios. */
export async function makeScenarios(folder: string): Promise<Scenario[]> {
  const at = (name: string): string => join(folder, name);
  const few = await stripedDataset(at('few'), 2, 1);
  const more = await stripedDataset(at('more'), 4, 2);
  const pooled = ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg'];
  await done(['extract', few, '--store', at('of-few'), ...EXTRACT]);
  // Rows of `more` that `few` lacks are what is collected.
  await done(['extract', more, '--store', at('of-both'), ...EXTRACT]);
  await done(['extract', few, '--store', at('of-both'), ...EXTRACT]);
  await done(['extract', few, '--store', at('two-sets'), ...EXTRACT]);
  await done(['extract', few, '--store', at('two-sets'), ...pooled]);
  cpSync(at('of-few'), at('damaged'), { recursive: true });
  damage(at('damaged'), 2);
  await done(['extract', more, '--store', at('pooled'), ...pooled]);
  await done(['train', at('pooled'), '--head', 'ridge', '--out', at('head.safetensors')]);
  mkdirSync(at('empty'));
  const image = join(more, 'Val', 'down', '0.png');
  const grid = ['--head', 'centroid,ridge', '--pca', '0', '--folds', '2', '--save', '--workers', '1'];
  const old = fileURLToPath(new URL('../fixtures/store-v1/store', import.meta.url));
  const predict = ['predict', at('head.safetensors'), join(more, 'Val')];
  const dist = new URL('../../dist/', import.meta.url).href;
  return [
    { name: 'extract', base: undefined, args: (store) => ['extract', few, '--store', store, ...EXTRACT] },
    { name: 'extract more', base: at('of-few'), args: (store) => ['extract', more, '--store', store, ...EXTRACT] },
    { name: 'run', base: undefined, args: (store) => ['run', more, '--store', store, ...pooled] },
    { name: 'gc', base: at('of-both'), args: (store) => ['gc', store] },
    { name: 'gc --other-sets', base: at('two-sets'), args: (store) => ['gc', store, '--other-sets'] },
    { name: 'repair', base: at('damaged'), args: (store) => ['repair', store], isDamaged: true },
    { name: 'migrate', base: old, args: (store) => ['migrate', store] },
    { name: 'train', base: at('pooled'), args: (store) => ['train', store, '--head', 'logistic'] },
    { name: 'sweep', base: at('pooled'), args: (store) => ['sweep', store, ...grid], within: 'process-entry' },
    { name: 'hnsw', base: at('pooled'), args: (store) => ['neighbors', store, image, '--index', 'hnsw'] },
    { name: 'report', base: at('pooled'), args: (store) => ['report', store] },
    {
      name: 'studio',
      base: at('pooled'),
      script: file('./studio-session.mjs'),
      args: (store) => [dist, store, join(more, 'Val', 'down')],
      mend: (store) => ['gc', store],
      lost: lostOf,
    },
    {
      name: 'predict --csv --sort-into',
      base: at('empty'),
      args: (out) => [...predict, '--csv', join(out, 'answers.csv'), '--sort-into', join(out, 'sorted')],
    },
    {
      name: 'export --csv',
      base: at('empty'),
      args: (out) => ['export', at('pooled'), '--csv', join(out, 'table.csv')],
    },
    {
      name: 'export --onnx',
      base: at('empty'),
      args: (out) => ['export', at('head.safetensors'), '--onnx', join(out, 'model.onnx'), '--check-images', '2'],
    },
  ];
}
