import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matrixRows } from '../../../../src/core/rows.ts';
import { createHead, HEAD_NAMES, type HeadName } from '../../../../src/classify/heads/index.ts';
import { applyNormalizer, fitNormalizer, NORMALIZATIONS } from '../../../../src/classify/normalize.ts';
import { writeSafetensors, type SafeTensor } from '../../../../src/core/safetensors.ts';
import {
  readHead,
  writeHead,
  type HeadDocument,
  type HeadTensors,
} from '../../../../src/store/read/heads/head-file.ts';
import { openHead, saveHead } from '../../../../src/workflows/train/files/head-files.ts';
import { detectUnknown } from '../../../../src/classify/novelty/reject.ts';
import { topClass } from '../../../../src/classify/evaluate/metrics.ts';
import { trainHead } from '../../../../src/workflows/train/train-head.ts';
import { trainWithRule } from '../../../../src/workflows/train/within.ts';
import { blobs } from '../../../classify/heads/head-contract.ts';
import { hnswMissing } from '../../../classify/neighbors/hnsw-missing.ts';
import { rejection } from '../../../support/errors.ts';
import { temporaryFolders } from '../../../support/folders.ts';
import { settingsWith, storedRow } from '../../../support/stored-rows.ts';
import { rowsInMemory, trainingOn } from '../../../support/training.ts';

const folder = temporaryFolders();

const DOCUMENT: HeadDocument = {
  permafrost: '0.0.0',
  name: 'centroid',
  params: { metric: 'cosine', shrink: 0.5, flag: true },
  classes: ['ant', 'bee'],
  settings: { ...settingsWith(), contract: { ...settingsWith().contract, mean: [1, 2, 3] } },
  pooling: 'avg',
  width: 3,
  head: { name: 'centroid', nested: { list: [1, null, 'x'] } },
  normalizer: { kind: 'none' },
  trained: { images: 4, store: '../store' },
};
const TENSORS: HeadTensors = new Map<string, { shape: number[]; data: Float32Array | Int32Array }>([
  ['head/weights', { shape: [2, 3], data: Float32Array.of(1, -0, 1e-40, Infinity, NaN, 3.5) }],
  ['head/labels', { shape: [2], data: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) }],
  ['normalizer/empty', { shape: [0, 3], data: new Float32Array(0) }],
]);

/** A head file with this document under the metadata key `permafrost`. */
function fileWith(document: unknown, tensors: ReadonlyMap<string, SafeTensor> = new Map()): string {
  const path = join(folder(), 'x.safetensors');
  const permafrost = typeof document === 'string' ? document : JSON.stringify(document);
  writeFileSync(path, writeSafetensors(tensors, { permafrost }));
  return path;
}

const whole = { format: 'permafrost-head', version: 1, ...DOCUMENT };

describe('a head file', () => {
  it('gives back its document and every bit of its tensors, into folders that are not there yet', async () => {
    const path = join(folder(), 'new/heads/x.safetensors');
    await writeHead(path, DOCUMENT, TENSORS);
    const { document, tensors } = await readHead(path);
    expect(document).toEqual({ ...DOCUMENT, format: 'permafrost-head', version: 1 });
    expect([...tensors.keys()].sort()).toEqual([...TENSORS.keys()].sort());
    for (const [name, { shape, data }] of TENSORS) {
      expect(tensors.get(name)!.shape).toEqual(shape);
      expect(Object.is(tensors.get(name)!.data.constructor, data.constructor)).toBe(true);
      expect([...tensors.get(name)!.data]).toEqual([...data]);
    }
  });

  it('gives back any class names', async () => {
    const names = fc.uniqueArray(fc.string({ unit: 'binary' }), { minLength: 2, maxLength: 6 });
    const path = join(folder(), 'x.safetensors');
    await fc.assert(
      fc.asyncProperty(names, async (classes) => {
        await writeHead(path, { ...DOCUMENT, classes }, TENSORS);
        expect((await readHead(path)).document.classes).toEqual(classes);
      }),
      { numRuns: 8 },
    );
  });

  it.each([
    ['that is missing', () => join(folder(), 'nowhere.safetensors'), /cannot be read: ENOENT.*"permafrost train"/],
    ['that is a folder', () => folder(), /cannot be read: it is a folder/],
    ['of another kind', () => fileOf('This is a letter, not a head.'), /x\.bin/],
    ['that is empty', () => fileOf(''), /x\.bin/],
    ['without a document', () => fileOf(writeSafetensors(new Map(), {})), /is no permafrost head/],
    ['whose document is no JSON', () => fileWith('{"format"'), /is no permafrost head/],
    ['of another format', () => fileWith({ ...whole, format: 'permafrost-store' }), /: format: /],
    ['of a later version', () => fileWith({ ...whole, version: 5 }), /another version: version: .*Train it again/],
    ['with an unknown field', () => fileWith({ ...whole, colour: 'red' }), /colour/],
    [
      'with a tensor of another type',
      () => fileWith(whole, new Map([['head/x', { dtype: 'F64', shape: [1], data: Float64Array.of(1) }]])),
      /tensor head\/x is F64, not F32 or I32/,
    ],
  ])('%s is refused with its path', async (_, make, words) => {
    const path = make();
    const { message } = await rejection(readHead(path), 'HEAD_CORRUPT');
    expect(message).toContain(path);
    expect(message).toMatch(words);
  });

  it('with any field missing is refused, the field named', async () => {
    const keys = [
      ...Object.keys(DOCUMENT),
      ...Object.keys(DOCUMENT.settings).map((key) => `settings.${key}`),
      ...Object.keys(DOCUMENT.settings.contract).map((key) => `settings.contract.${key}`),
      'trained.images',
      'trained.store',
    ];
    for (const name of keys) {
      const document = structuredClone(whole) as unknown as Record<string, unknown>;
      const path = name.split('.');
      const parent = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, document);
      delete parent[path.at(-1)!];
      const { message } = await rejection(readHead(fileWith(document)), 'HEAD_CORRUPT');
      expect(message).toContain(`: ${name}: `);
    }
  });

  it('that is cut short is refused, wherever', async () => {
    const path = join(folder(), 'x.safetensors');
    await writeHead(path, DOCUMENT, TENSORS);
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(path, bytes.subarray(0, length));
      await rejection(readHead(path), 'HEAD_CORRUPT');
    }
  });

  it('that cannot be written says so, and leaves what stood there', async () => {
    const root = folder();
    writeFileSync(join(root, 'file'), 'mine');
    await rejection(writeHead(join(root, 'file/x.safetensors'), DOCUMENT, TENSORS), 'STORE_WRITE');
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('mine');
    mkdirSync(join(root, 'folder/inside'), { recursive: true });
    await rejection(writeHead(join(root, 'folder'), DOCUMENT, TENSORS), 'STORE_WRITE');
  });
});

/** A file of anything. */
function fileOf(content: string | Uint8Array): string {
  const path = join(folder(), 'x.bin');
  writeFileSync(path, content);
  return path;
}

const data = blobs(['ant', 'bee', 'wasp'], 12, 20);
const samples = data.y.map((label, i) => storedRow(`${i}.jpg`, { label }));
const loaded = rowsInMemory(data.X, samples);
const parts = [{ cut: 'block5_pool', pooling: 'avg', width: 20 }] as const;
const training = trainingOn(loaded, loaded, parts);
const OPTIONS: Partial<Record<HeadName, Record<string, unknown>>> = {
  softmax: { validationFraction: 0.2, maxEpochs: 12 },
  'ml-logistic': { numSteps: 30 },
};

const missing = await hnswMissing();

describe.each(HEAD_NAMES)('a trained %s on disk', (name) => {
  const skip = name === 'knn-hnsw' && missing !== undefined;
  const title = `answers as before it was written, behind the normaliser %s${skip ? ` (${missing})` : ''}`;
  it.skipIf(skip).each(NORMALIZATIONS)(title, async (normalize) => {
    const trained = await trainHead({ head: name, options: OPTIONS[name] ?? {}, normalize }, training);
    const root = folder();
    const file = join(root, 'heads', `${name}.safetensors`);
    await saveHead(file, trained, { settings: settingsWith() }, join(root, 'store'));
    const opened = await openHead(file);
    expect(opened.document).toMatchObject({ name, pooling: 'avg', width: 20, settings: settingsWith() });
    expect(opened.store).toBe(join(root, 'store'));
    expect(opened.document.trained).toEqual({ images: 36, store: '../store' });
    const values = { predictProba: undefined, logits: undefined };
    expect({ ...opened.head, ...values }).toEqual({ ...trained.head, ...values });
    expect(opened.head.learningCurve).toEqual(trained.result.learningCurve);
    const before = await trained.head.predictProba(applyNormalizer(trained.normalizer, data.X));
    expect(await opened.head.predictProba(applyNormalizer(opened.normalizer, data.X))).toEqual(before);
  });
});

describe('a head with a rule for "unknown" on disk', () => {
  it.each(['logistic', 'knn', 'centroid'])('judges as before it was written: %s', async (head) => {
    const plan = { head, normalize: 'l2' } as const;
    const before = await trainWithRule(plan, training, { reject: 0.1 });
    expect(before.result.reject).toMatchObject({ rate: 0.1, problem: null });
    const path = join(folder(), 'x.safetensors');
    await saveHead(path, before, { settings: settingsWith() }, '/store');
    const after = await openHead(path);
    expect(after.reject).toEqual(before.reject);
    const X = applyNormalizer(before.normalizer, data.X);
    expect(await detectUnknown(after.reject!, after.head, X)).toEqual(
      await detectUnknown(before.reject!, before.head, X),
    );
  });

  it('at a rate of 0 is a head without one, and so is a file that was written before there were any', async () => {
    const plan = { head: 'centroid', normalize: 'l2' } as const;
    const trained = await trainWithRule(plan, training, { reject: 0 });
    expect(trained.result.reject).toBeUndefined();
    const path = join(folder(), 'x.safetensors');
    await saveHead(path, trained, { settings: settingsWith() }, '/store');
    expect((await openHead(path)).reject).toBeUndefined();
    expect((await readHead(path)).document).not.toHaveProperty('reject');
  });

  it('that is damaged is refused with its path', async () => {
    const plan = { head: 'centroid', normalize: 'l2' } as const;
    const trained = await trainHead(plan, training);
    const path = join(folder(), 'x.safetensors');
    await saveHead(path, trained, { settings: settingsWith() }, '/store');
    const { document, tensors } = await readHead(path);
    await writeHead(path, { ...document, reject: { measure: 'mood', threshold: 1, rate: 0.05 } }, tensors);
    const { message } = await rejection(openHead(path), 'HEAD_CORRUPT');
    expect(message).toMatch(/x\.safetensors: .*"mood"/);
  });

  it('tells false rejects of the validated images, and the accuracy of what is answered', async () => {
    const plan = { head: 'logistic', normalize: 'l2' } as const;
    const { result } = await trainWithRule(plan, training, { reject: 0.1 });
    const { validated } = result.reject!.rule!;
    expect(validated).toMatchObject({ split: 'val', images: 36, accuracyOfAnswered: 1 });
    expect(validated.share).toBe(validated.rejected / 36);
  });
});

describe('a head with a temperature on disk', () => {
  it.each(['ridge', 'linear-svm', 'softmax', 'knn', 'centroid', 'mlp'])(
    'answers with the same scaled probabilities, and with its own where the file has none: %s',
    async (head) => {
      const trained = await trainWithRule({ head, normalize: 'l2' }, training, { reject: 0 });
      expect(trained.result.temperature).toBe(trained.head.temperature);
      const path = join(folder(), 'x.safetensors');
      await saveHead(path, trained, { settings: settingsWith() }, '/store');
      const { document, tensors } = await readHead(path);
      expect(document.temperature).toBe(trained.head.temperature);
      const X = applyNormalizer(trained.normalizer, data.X);
      const P = await trained.head.predictProba(X);
      expect(await (await openHead(path)).head.predictProba(X)).toEqual(P);
      const older = Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'temperature'));
      await writeHead(path, older as typeof document, tensors);
      const own = await (await openHead(path)).head.predictProba(X);
      const { head: plain } = await trainHead({ head, normalize: 'l2' }, training);
      expect(own).toEqual(await plain.predictProba(X));
      expect(own).not.toEqual(P);
      expect(topClass(own)).toEqual(topClass(P));
    },
  );

  it('is none of a logistic regression: its probabilities are its own', async () => {
    const trained = await trainWithRule({ head: 'logistic', normalize: 'l2' }, training, { reject: 0.1 });
    expect(trained.head.temperature).toBeUndefined();
    const plain = await trainHead({ head: 'logistic', normalize: 'l2' }, training);
    expect(trained.head.state).toEqual(plain.head.state);
  });
});

describe('a head file that another permafrost wrote', () => {
  it('with a head that this one does not know is refused as a head, not as an option', async () => {
    const head = await createHead('centroid').fit(matrixRows(data.X), data.y);
    const normalizer = await fitNormalizer('none', matrixRows(data.X));
    const { result } = await trainHead({ head: 'centroid', normalize: 'none' }, training);
    const path = join(folder(), 'x.safetensors');
    const foreign = {
      ...head,
      name: 'forest',
      state: { ...head.state, json: { ...head.state.json, name: 'forest' } },
    };
    await saveHead(path, { head: foreign, normalizer, parts, result }, { settings: settingsWith() }, '/store');
    const { message } = await rejection(openHead(path), 'HEAD_CORRUPT');
    expect(message).toMatch(/x\.safetensors.*no head "forest".*Heads: softmax/);
  });

  it('with a damaged head or normaliser is refused with its path', async () => {
    const trained = await trainHead({ head: 'centroid', normalize: 'standard' }, training);
    const path = join(folder(), 'x.safetensors');
    for (const [part, words] of [
      ['head', /x\.safetensors: The stored head should be "centroid"/],
      ['normalizer', /x\.safetensors: .*normali[sz]/],
    ] as const) {
      await saveHead(path, trained, { settings: settingsWith() }, '/store');
      const { document, tensors } = await readHead(path);
      await writeHead(path, { ...document, [part]: {} }, tensors);
      expect((await rejection(openHead(path), 'HEAD_CORRUPT')).message).toMatch(words);
    }
  });

  it('whose document says another width than its head is refused', async () => {
    const trained = await trainHead({ head: 'centroid', normalize: 'none' }, training);
    const path = join(folder(), 'x.safetensors');
    await saveHead(path, trained, { settings: settingsWith() }, '/store');
    const { document, tensors } = await readHead(path);
    await writeHead(path, { ...document, width: 21 }, tensors);
    const { message } = await rejection(openHead(path), 'HEAD_CORRUPT');
    expect(message).toContain('the head takes 20 features, its document says 21');
  });
});
