import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { permafrost } from '../support/command.ts';
import { stripedDataset } from '../support/small-dataset.ts';

/** A command that changes a store, and the store that it begins with. */
export interface Scenario {
  readonly name: string;
  /** A folder that is copied to be the store; undefined: there is none yet. */
  readonly base: string | undefined;
  readonly args: (store: string) => readonly string[];
  /** Of the process, beside what all have. */
  readonly env?: Readonly<Record<string, string>>;
  /** True where the store that it begins with is damaged. */
  readonly isDamaged?: true;
}

/** A row of block1_pool fills a shard of 1 MiB by itself; one image an inference, so that each is computed alike. */
const EXTRACT = ['--engine', 'onnxruntime', '--cut', 'block1_pool', '--batch', '1', '--shard-megabytes', '1'];

/** All images in one shard, and each is kept as soon as it is extracted. */
const KEPT = {
  flags: ['--engine', 'onnxruntime', '--cut', 'block1_pool:avg', '--batch', '1'],
  env: {
    NODE_OPTIONS: `--import=${pathToFileURL(fileURLToPath(new URL('../support/fast-clock.mjs', import.meta.url))).href}`,
  },
};

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

/** Those that need no store to begin with. */
export async function newStores(folder: string): Promise<Scenario[]> {
  const few = await stripedDataset(join(folder, 'few'), 2, 1);
  return [
    { name: 'extract', base: undefined, args: (store) => ['extract', few, '--store', store, ...EXTRACT] },
    {
      name: 'extract, rows kept',
      base: undefined,
      args: (store) => ['extract', few, '--store', store, ...KEPT.flags],
      env: KEPT.env,
    },
  ];
}

/** Makes the stores below `folder`, and gives all scenarios. */
export async function makeScenarios(folder: string): Promise<Scenario[]> {
  const at = (name: string): string => join(folder, name);
  const begun = await newStores(folder);
  const few = at('few');
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
  const image = join(more, 'Val', 'down', '0.png');
  const grid = ['--head', 'centroid,ridge', '--pca', '0', '--folds', '2', '--save', '--workers', '1'];
  const old = fileURLToPath(new URL('../fixtures/store-v1/store', import.meta.url));
  return [
    ...begun,
    { name: 'extract more', base: at('of-few'), args: (store) => ['extract', more, '--store', store, ...EXTRACT] },
    { name: 'run', base: undefined, args: (store) => ['run', more, '--store', store, ...pooled] },
    { name: 'gc', base: at('of-both'), args: (store) => ['gc', store] },
    { name: 'gc --other-sets', base: at('two-sets'), args: (store) => ['gc', store, '--other-sets'] },
    { name: 'repair', base: at('damaged'), args: (store) => ['repair', store], isDamaged: true },
    { name: 'migrate', base: old, args: (store) => ['migrate', store] },
    { name: 'train', base: at('pooled'), args: (store) => ['train', store, '--head', 'logistic'] },
    { name: 'sweep', base: at('pooled'), args: (store) => ['sweep', store, ...grid] },
    { name: 'hnsw', base: at('pooled'), args: (store) => ['neighbors', store, image, '--index', 'hnsw'] },
    { name: 'report', base: at('pooled'), args: (store) => ['report', store] },
  ];
}
