import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { calibrationDigest } from '../src/core/calibration.ts';
import { writeSafetensors, type SafeTensor } from '../src/core/safetensors.ts';
import { vgg16 } from '../src/extract/backbones/vgg.ts';
import { readCalibration, writeCalibration } from '../src/store/read/calibration-file.ts';
import { FILE_TIMES_NAME } from '../src/store/format/file-times-file.ts';
import { SKETCHES_NAME, writeSketches } from '../src/store/format/sketches-file.ts';
import { SKETCH_BYTES } from '../src/core/sketch.ts';
import { openFileTimes } from '../src/store/format/file-times.ts';
import { writeHead } from '../src/store/read/heads/head-file.ts';
import { sealName } from '../src/store/write/shard-files.ts';
import { temporaryFolders } from './support/folders.ts';
import { fuzz, type FuzzCase, type Fuzzing } from './support/fuzz.ts';
import { KERAS_LAYOUTS, writeH5 } from './support/keras-files.ts';
import { parquetOf } from './support/parquet-files.ts';
import { paxRecords, tarOf } from './support/tar-files.ts';
import { settingsWith, sha256Of, storedRow } from './support/stored-rows.ts';
import { fillStore } from './support/stores.ts';
import { randomWeights, slimmed } from './support/tiny-backbone.ts';

const folder = temporaryFolders();
/** Damaged files a reader is given; more of them by hand: PERMAFROST_FUZZ=2000. */
const CASES = Number(process.env.PERMAFROST_FUZZ ?? 120);
const backbone = slimmed(vgg16, 16);
const weights = randomWeights(backbone, 3);

/** Fuzzes and expects: no other outcome than these codes or "ok", at least some of the former, and never a hang. */
async function outcomes(
  fuzzing: Omit<Fuzzing, 'cases'>,
  codes: readonly string[],
  count = CASES,
): Promise<{ whole: FuzzCase; read: FuzzCase[] }> {
  const [whole, ...cases] = await fuzz({ ...fuzzing, cases: count });
  expect(whole!.outcome).toMatch(/^ok /);
  expect(cases.filter(({ outcome }) => !outcome.startsWith('ok ') && !codes.includes(outcome))).toEqual([]);
  expect(cases.filter(({ outcome }) => codes.includes(outcome)).length).toBeGreaterThan(count / 10);
  return { whole: whole!, read: cases.filter(({ outcome }) => outcome.startsWith('ok ')) };
}

/** The same of a file with a digest: what is read at all is what the whole file says. */
async function sealed(fuzzing: Omit<Fuzzing, 'cases'>, codes: readonly string[]): Promise<void> {
  const { whole, read } = await outcomes(fuzzing, codes);
  expect(read.filter(({ outcome }) => outcome !== whole.outcome)).toEqual([]);
}

async function newStore() {
  const rows = Array.from({ length: 7 }, (_, i) => storedRow(`${i}.jpg`, { split: i % 2 === 0 ? 'train' : 'val' }));
  return fillStore(join(folder(), 'store'), rows, { perShard: 3 });
}

describe('a damaged file', () => {
  it('of a manifest is refused, or read as it was written', async () => {
    const { store } = await newStore();
    const whole = join(store, 'whole');
    writeFileSync(whole, readFileSync(join(store, 'manifest.json')));
    await sealed({ reader: 'manifest', file: whole, context: { name: 'manifest.json' } }, [
      'STORE_CORRUPT',
      'STORE_NOT_FOUND',
    ]);
  });

  it.each(['rows', 'flatten', 'avg', 'samples'] as const)(
    'of %s in Arrow is refused before its reader can hang on it',
    async (kind) => {
      const { store, manifest, set } = await newStore();
      const name = kind === 'samples' ? manifest.dataset.samples!.name : set.shards[1]!.files[kind]!.name;
      const whole = join(store, 'whole');
      writeFileSync(whole, readFileSync(join(store, name)));
      await sealed({ reader: 'store', file: whole, context: { name } }, ['STORE_CORRUPT']);
    },
  );

  it.each(['avg', 'samples'] as const)(
    'of %s in Arrow is refused, or read in bounded time, where its digest is right',
    async (kind) => {
      const { store, manifest, set } = await newStore();
      const name = kind === 'samples' ? manifest.dataset.samples!.name : set.shards[1]!.files.avg!.name;
      await outcomes({ reader: 'arrow', file: join(store, name) }, ['STORE_CORRUPT']);
    },
  );

  it('of a seal is set aside, and the other shards found', async () => {
    const { store, set } = await newStore();
    const whole = join(store, 'whole');
    const name = sealName(set.shards[0]!);
    writeFileSync(whole, readFileSync(join(store, name)));
    // Never thrown: a manifest must be made of what is left.
    const found = await fuzz({ reader: 'seals', file: whole, cases: CASES, context: { name } });
    expect(found.filter(({ outcome }) => !outcome.startsWith('ok '))).toEqual([]);
  });

  it('of a calibration is refused', async () => {
    const store = folder();
    const calibration = {
      method: 'min-max',
      images: [sha256Of('a')],
      ranges: { input: { min: -1, max: 2.5 } },
    };
    const entry = await writeCalibration(store, calibration);
    const digest = calibrationDigest(calibration);
    expect(await readCalibration(store, entry, digest)).toEqual(calibration);
    const whole = join(store, 'whole');
    writeFileSync(whole, readFileSync(join(store, entry.name)));
    await sealed({ reader: 'calibration', file: whole, context: { name: entry.name, entry, digest } }, [
      'STORE_CORRUPT',
    ]);
  });

  it('of the times of files is refused', async () => {
    const store = folder();
    const times = await openFileTimes(store, '/pictures', true);
    for (let i = 0; i < 20; i++)
      times.note(`${i}.jpg`, { size: 1n, mtimeNs: 5n, ctimeNs: 6n, ino: BigInt(i) }, sha256Of(String(i)), 1e12);
    await times.write();
    const whole = join(store, 'whole');
    writeFileSync(whole, readFileSync(join(store, FILE_TIMES_NAME)));
    await sealed({ reader: 'file-times', file: whole, context: { name: FILE_TIMES_NAME } }, ['STORE_CORRUPT']);
  });

  it('of sketches is refused', async () => {
    const store = folder();
    const { contract } = settingsWith();
    const sketches = new Map(
      Array.from({ length: 5 }, (_, i) => [sha256Of(String(i)), new Uint8Array(SKETCH_BYTES).fill(i)] as const),
    );
    await writeSketches(store, contract, sketches);
    const whole = join(store, 'whole');
    writeFileSync(whole, readFileSync(join(store, SKETCHES_NAME)));
    await sealed({ reader: 'sketches', file: whole, context: { name: SKETCHES_NAME, contract } }, ['STORE_CORRUPT']);
  });

  it('of Parquet is read in bounded time: refused, or what is left of it', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => ({ bytes: `image ${i}`, path: `${i}.jpg`, label: i % 2 }));
    const file = join(folder(), 'whole.parquet');
    writeFileSync(file, parquetOf(rows, { classes: ['ant', 'bee'], groupRows: 5 }));
    await outcomes({ reader: 'parquet', file, context: { mostMs: 2000 } }, ['ARCHIVE_CORRUPT', 'DATASET_LAYOUT']);
  });

  it('of a head is refused, a flipped weight too', async () => {
    const file = join(folder(), 'head.safetensors');
    const document = {
      permafrost: '0.1.0',
      name: 'logistic',
      params: { C: 1 },
      classes: ['ant', 'bee'],
      settings: {
        ...settingsWith(),
        contract: { ...settingsWith().contract, mean: [1, 2, 3] as [number, number, number] },
      },
      pooling: 'avg' as const,
      width: 6,
      head: { kind: 'linear' },
      normalizer: { name: 'l2' },
      trained: { images: 10, store: '..' },
    };
    await writeHead(
      file,
      document,
      new Map([['head/weights', { shape: [2, 6], data: new Float32Array(12).fill(0.5) }]]),
    );
    await sealed({ reader: 'head', file }, ['HEAD_CORRUPT']);
  });

  it('of a tar archive ends in bounded time with an error or with members', async () => {
    const file = join(folder(), 'whole.tar');
    const long = `${'a-long-folder/'.repeat(9)}3.jpg`;
    const pax = { name: 'pax', type: 'x', content: paxRecords({ path: long }) };
    writeFileSync(
      file,
      tarOf([
        { name: 'a/1.jpg', content: 'x'.repeat(700) },
        { name: 'a/1.cls', content: '1' },
        pax,
        { name: 'short', content: 'y'.repeat(90) },
        { name: 'b/', type: '5' },
        { name: 'b/2.jpg', content: 'z' },
      ]),
    );
    // The records of a pax header have no checksum: a name may be another one.
    await outcomes({ reader: 'tar', file }, ['ARCHIVE_CORRUPT', 'DATASET_LAYOUT']);
  });

  it('of weights in safetensors ends in bounded time with an error or with finite numbers', async () => {
    const file = join(folder(), 'weights.safetensors');
    const tensors = [...weights.tensors].map(([name, tensor]): [string, SafeTensor] => [
      name,
      { dtype: 'F32', ...tensor },
    ]);
    writeFileSync(file, writeSafetensors(new Map(tensors)));
    await outcomes({ reader: 'weights', file, context: { backbone } }, ['WEIGHTS_CORRUPT', 'WEIGHTS_MISMATCH']);
  });

  it.each(['keras-applications, notop', 'Keras 3 save_weights'])(
    'of weights in .h5 (%s) does so too',
    async (layout) => {
      const file = join(folder(), 'weights.h5');
      await writeH5(file, KERAS_LAYOUTS[layout]!(backbone, weights));
      // A process is started for each: a sixth of the cases takes as long as all of another kind. A reader that hangs
      // is ended after 30 s.
      await outcomes(
        { reader: 'weights', file, context: { backbone }, caseMs: 60_000 },
        ['WEIGHTS_CORRUPT', 'WEIGHTS_MISMATCH'],
        Math.ceil(CASES / 6),
      );
    },
  );

  it.each([
    ['csv', 'path,label,split\n', (i: number) => `"a ""b""/${i}.jpg",${i % 2 === 0 ? 'ant' : 'bee'},train\n`],
    ['jsonl', '', (i: number) => `{"path":"é/${i}.jpg","label":"ant","split":"val"}\n`],
  ] as const)('of a list in .%s ends with an error that says where, or with samples', async (kind, head, line) => {
    const file = join(folder(), `list.${kind}`);
    writeFileSync(file, head + Array.from({ length: 40 }, (_, i) => line(i)).join(''));
    await outcomes({ reader: 'list', file }, ['DATASET_LAYOUT']);
  });
});
