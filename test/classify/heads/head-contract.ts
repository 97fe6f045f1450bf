import { describe, expect, it } from 'vitest';
import { PermafrostError, type ErrorCode } from '../../../src/core/errors.ts';
import { type Matrix, matrix, selectRows } from '../../../src/core/matrix.ts';
import { matrixRows, type Rows } from '../../../src/core/rows.ts';
import { random } from '../../../src/core/random.ts';
import type { FittedHead, HeadState } from '../../../src/classify/head.ts';
import { type HeadName, type HeadOptions, createHead, HEADS, loadHead } from '../../../src/classify/heads/index.ts';
import { topClass } from '../../../src/classify/evaluate/metrics.ts';
import { blockRows } from '../../support/rows.ts';

/** Float32 products of other shapes may be summed in another order. */
const SAME = 2e-6;

export interface Blobs {
  readonly X: Matrix;
  readonly y: string[];
}

/** `each` rows of every class around a centre of its own, non-negative as after a ReLU, classes interleaved. */
export function blobs(names: readonly string[], each: number, cols: number, seed = 1): Blobs {
  const source = random(seed);
  const centres = names.map(() => Float32Array.from({ length: cols }, () => Math.max(0, source.normal() * 2)));
  const X = matrix(names.length * each, cols);
  const y: string[] = [];
  for (let i = 0; i < X.rows; i++) {
    const c = i % names.length;
    y.push(names[c]!);
    for (let j = 0; j < cols; j++) {
      X.data[i * cols + j] = Math.max(0, centres[c]![j]! + source.normal() * 0.5);
    }
  }
  return { X, y };
}

async function rejection(promise: Promise<unknown>): Promise<PermafrostError> {
  const error: unknown = await promise.then(
    () => new Error('it did not throw'),
    (reason: unknown) => reason,
  );
  if (error instanceof PermafrostError) return error;
  throw error;
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  const error = await rejection(promise);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(words);
}

/** Blocks of seven rows. */
const inBlocks = (X: Matrix): Rows => blockRows(X, 7);

/** Classes, rows of each and columns: what a head must learn, whichever way it is fitted. */
export const SHAPES: readonly [words: string, names: string[], each: number, cols: number][] = [
  ['two classes, more rows than columns', ['no', 'yes'], 20, 6],
  ['two classes, more columns than rows', ['no', 'yes'], 8, 200],
  ['seven classes, more rows than columns', [...'abcdefg'], 8, 12],
  ['seven classes, more columns than rows', [...'abcdefg'], 5, 150],
];

/** A state after a trip through JSON and copied bytes, as a file would give it back. */
export function throughFile(state: HeadState): HeadState {
  const tensors = [...state.tensors].map(
    ([name, { shape, data }]) => [name, { shape: [...shape], data: data.slice() }] as const,
  );
  return { json: JSON.parse(JSON.stringify(state.json)) as HeadState['json'], tensors: new Map(tensors) };
}

function checkProbabilities(P: Matrix, rows: number, head: FittedHead): void {
  expect([P.rows, P.cols]).toEqual([rows, head.classes.length]);
  for (let i = 0; i < P.rows; i++) {
    const p = [...P.data.subarray(i * P.cols, (i + 1) * P.cols)];
    expect(p.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(p.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
  }
}

const largestDifference = (a: Matrix, b: Matrix): number =>
  a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);

/**
 * What every head must do, in the manner of scikit-learn's check_estimator. `options` keep the fits short; `oneRow` are
 * those for one row a class; `skip` says why the head cannot be tested here. Answers on blocks of `sizes` rows are
 * those in memory to `near` under the options `agree`.
 */
export function headContract(
  name: HeadName,
  {
    options = {},
    oneRow = options,
    skip,
    agree = options,
    near = SAME,
    sizes = [1, 7, Infinity],
    title = name,
  }: {
    options?: HeadOptions;
    oneRow?: HeadOptions;
    skip?: string | undefined;
    agree?: HeadOptions;
    near?: number;
    sizes?: readonly number[];
    /** Where a head is tested under several options. */
    title?: string;
  },
): void {
  const inMemoryOnly = createHead(name).inMemoryOnly;
  describe.each([
    { way: 'on rows in memory', rowsOf: matrixRows, skipped: skip },
    { way: 'on rows in blocks', rowsOf: inBlocks, skipped: skip ?? inMemoryOnly },
  ])(`the head ${title} $way`, ({ rowsOf, skipped }) => {
    const fit = ({ X, y }: Blobs, given = options) => createHead(name, given).fit(rowsOf(X), y);

    describe.skipIf(skipped !== undefined)(skipped === undefined ? '' : `[skipped: ${skipped}]`, () => {
      it.each(SHAPES)('learns %s', async (_, names, each, cols) => {
        const data = blobs(names, each, cols);
        const head = await fit(data);
        const P = await head.predictProba(data.X);
        checkProbabilities(P, data.X.rows, head);
        expect(Array.from(topClass(P), (c) => head.classes[c])).toEqual(data.y);
        expect(head).toMatchObject({ name, classes: [...names].sort(), features: cols });
        expect(head.iterations).toBeGreaterThanOrEqual(0);
        expect(typeof head.converged).toBe('boolean');
      });

      it('tells all its options, resolved', () => {
        expect(Object.keys(createHead(name).params)).toEqual(Object.keys(HEADS[name].options));
        expect(createHead(name, options).params).toMatchObject(options);
      });

      it('rejects an option that it does not have', () => {
        expect(() => createHead(name, { nNeighbours: 3 } as object)).toThrow(/has no option "nNeighbours"/);
      });

      it('learns one row a class', async () => {
        const data = blobs(['a', 'b', 'c'], 1, 10);
        const head = await fit(data, oneRow);
        expect(Array.from(topClass(await head.predictProba(data.X)))).toEqual([0, 1, 2]);
      });

      it.each([NaN, Infinity, -Infinity])('rejects %s in the features', async (value) => {
        const data = blobs(['a', 'b'], 6, 5);
        data.X.data[13] = value;
        await expectCode(fit(data), 'FIT_INVALID', /Row 2, column 3 .*(NaN|Infinity).*finite/);
        const head = await fit(blobs(['a', 'b'], 6, 5));
        await expectCode(head.predictProba(data.X), 'FIT_INVALID', /Row 2, column 3/);
      });

      it('rejects lengths that differ, one class, no rows and no columns', async () => {
        const { X, y } = blobs(['a', 'b'], 6, 5);
        await expectCode(fit({ X, y: y.slice(1) }), 'FIT_INVALID', /12 rows of features and 11 labels/);
        await expectCode(fit({ X, y: y.map(() => 'a') }), 'FIT_INVALID', /two classes or more, found "a"/);
        await expectCode(fit({ X: matrix(0, 5), y: [] }), 'FIT_INVALID', /two classes or more, found none/);
        await expectCode(fit({ X: matrix(12, 0), y }), 'FIT_INVALID', /no columns/);
      });

      it('rejects rows of another width than it was fitted on', async () => {
        const head = await fit(blobs(['a', 'b'], 6, 5));
        await expectCode(head.predictProba(matrix(2, 4)), 'FIT_INVALID', /fitted on 5 features .* have 4/);
      });

      it('gives no rows for no rows', async () => {
        const head = await fit(blobs(['a', 'b'], 6, 5));
        expect(await head.predictProba(matrix(0, 5))).toMatchObject({ rows: 0, cols: 2 });
      });

      it('stands constant columns, rows of zeros and duplicated rows', async () => {
        const { X, y } = blobs(['a', 'b'], 8, 6);
        for (let i = 0; i < X.rows; i++) X.data.set([0, 7], i * 6);
        X.data.fill(0, 6, 12);
        X.data.copyWithin(24, 12, 18);
        const head = await fit({ X, y });
        checkProbabilities(await head.predictProba(X), X.rows, head);
      });

      it('stands rows that are all the same', async () => {
        const X = matrix(12, 4, new Float32Array(48).fill(0.5));
        const head = await fit({ X, y: blobs(['a', 'b'], 6, 1).y });
        checkProbabilities(await head.predictProba(X), X.rows, head);
      });

      it('stands classes of very different size', async () => {
        const { X, y } = blobs(['a', 'b'], 40, 6);
        const kept = y.flatMap((label, i) => (label === 'a' || i < 10 ? [i] : []));
        const head = await fit({ X: selectRows(X, kept), y: kept.map((i) => y[i]!) });
        checkProbabilities(await head.predictProba(X), X.rows, head);
      });

      it('gives a small class its due where it weighs classes, and does not otherwise', async (test) => {
        if (!('classWeight' in HEADS[name].options)) {
          test.skip(`the head ${name} weighs no classes`);
        }
        // Classes that overlap, nine rows to one: unweighted, the large class takes the ground between them.
        const source = random(3);
        const rows = 1000;
        const y = Array.from({ length: rows }, (_, i) => (i % 10 === 0 ? 'small' : 'large'));
        const X = matrix(rows, 4);
        for (let at = 0; at < X.data.length; at++) {
          X.data[at] = source.normal() + (y[Math.floor(at / 4)] === 'small' ? 0.5 : -0.5);
        }
        const recall = async (classWeight: 'balanced' | 'none') => {
          const head = await fit({ X, y }, { ...options, classWeight });
          const guess = topClass(await head.predictProba(X));
          const right = y.filter((label, i) => label === 'small' && head.classes[guess[i]!] === 'small');
          return right.length / (rows / 10);
        };
        expect(await recall('balanced')).toBeGreaterThan((await recall('none')) + 0.1);
      });

      it('changes none of its input, and is not changed with it', async () => {
        const { X, y } = blobs(['a', 'b'], 8, 6);
        const before = { data: X.data.slice(), y: [...y] };
        const head = await fit({ X, y });
        const P = await head.predictProba(X);
        expect(X.data).toEqual(before.data);
        expect(y).toEqual(before.y);
        // Rows that a head leaves where they are must not change while it is used.
        if (head.leavesRows) return;
        X.data.fill(9);
        expect(await head.predictProba({ ...X, data: before.data })).toEqual(P);
      });

      it('gives the same bytes for the same seed', async () => {
        const data = blobs(['a', 'b', 'c'], 8, 30);
        const [one, two] = [await fit(data), await fit(data)];
        expect(two.state).toEqual(one.state);
        expect(await two.predictProba(data.X)).toEqual(await one.predictProba(data.X));
      });

      it.each([
        ['more rows than columns', 8],
        ['more columns than rows', 90],
      ])('fits parts of prepared rows as it fits those rows alone, where it can prepare them: %s', async (_, cols) => {
        const { X, y } = blobs(['a', 'b', 'c'], 12, cols);
        if (createHead(name, options).prepare === undefined) return;
        const isIterative = 'tol' in HEADS[name].options;
        const head = createHead(name, { ...options, ...(isIterative && { tol: 1e-8 }) });
        const fitPart = await head.prepare!(X);
        // A fold's rows, and those without a class.
        for (const rows of [
          y.flatMap((_label, i) => (i % 4 === 1 ? [] : [i])),
          y.flatMap((label, i) => (label === 'b' ? [] : [i])),
        ]) {
          const labels = rows.map((i) => y[i]!);
          const [part, alone] = [await fitPart(rows, labels), await head.fit(matrixRows(selectRows(X, rows)), labels)];
          expect(part.classes).toEqual(alone.classes);
          expect(largestDifference(await part.predictProba(X), await alone.predictProba(X))).toBeLessThan(1e-4);
        }
        await expectCode(fitPart([0, 3], ['a', 'a']), 'FIT_INVALID', /two classes or more/);
      });

      it('gives a row the same probabilities whatever batch it is in', async () => {
        const { X, y } = blobs(['a', 'b', 'c'], 12, 40);
        const head = await fit({ X, y });
        const P = await head.predictProba(X);
        const some = [30, 2, 17, 5, 8];
        expect(largestDifference(await head.predictProba(selectRows(X, some)), selectRows(P, some))).toBeLessThan(SAME);
        expect(largestDifference(await head.predictProba(selectRows(X, [4])), selectRows(P, [4]))).toBeLessThan(SAME);
      });

      it('comes back from its state with the same answers', async () => {
        const data = blobs(['a', 'b', 'c'], 8, 30);
        const { state, ...told } = await fit(data);
        const loaded = await loadHead(name, throughFile(state), told.leavesRows ? rowsOf(data.X) : undefined);
        expect(loaded).toMatchObject(JSON.parse(JSON.stringify({ ...told, predictProba: undefined })) as object);
        expect(await loaded.predictProba(data.X)).toEqual(await told.predictProba(data.X));
        expect(loaded.state).toEqual(state);
      });

      it('refuses a state that lacks something', async () => {
        const data = blobs(['a', 'b', 'c'], 8, 30);
        const { state, leavesRows } = await fit(data);
        const left = leavesRows ? rowsOf(data.X) : undefined;
        for (const tensor of state.tensors.keys()) {
          const tensors = new Map([...state.tensors].filter(([other]) => other !== tensor));
          // Those of a member are named as the member names them.
          const named = new RegExp(`"${tensor.replace(/^\d+\//, '')}"`);
          await expectCode(loadHead(name, { ...state, tensors }, left), 'HEAD_CORRUPT', named);
        }
        if (leavesRows) await expectCode(loadHead(name, state), 'HEAD_CORRUPT', /"rows"/);
        for (const key of ['params', 'classes', 'features', 'converged', 'iterations', 'notes']) {
          const json = { ...state.json, [key]: undefined };
          await expectCode(
            loadHead(name, { ...state, json }),
            'HEAD_CORRUPT',
            new RegExp(key === 'classes' ? 'class names' : key),
          );
        }
        await expectCode(loadHead(name, { ...state, json: {} }), 'HEAD_CORRUPT', /should be/);
      });

      it('takes any class names, in code unit order', async () => {
        const names = ['__proto__', 'constructor', '', ' ', 'Ünïcode 🐝', 'a/b\n"c"', 'Z', 'z', '10', '9'];
        const data = blobs(names, 4, 60);
        const head = await fit(data, oneRow);
        expect(head.classes).toEqual([...names].sort());
        const left = head.leavesRows ? rowsOf(data.X) : undefined;
        const loaded = await loadHead(name, throughFile(head.state), left);
        const guess = topClass(await loaded.predictProba(data.X));
        expect(Array.from(guess, (c) => head.classes[c])).toEqual(data.y);
      });
    });
  });

  describe.skipIf((skip ?? inMemoryOnly) !== undefined)(`the head ${title}, in memory and in blocks`, () => {
    it.each(SHAPES)('gives the same answers: %s', async (_, names, each, cols) => {
      const { X, y } = blobs(names, each, cols);
      const head = createHead(name, agree);
      const P = await (await head.fit(matrixRows(X), y)).predictProba(X);
      for (const size of sizes) {
        const Q = await (await head.fit(blockRows(X, Math.min(size, X.rows)), y)).predictProba(X);
        expect(largestDifference(P, Q)).toBeLessThanOrEqual(near);
      }
    });
  });

  it.runIf(inMemoryOnly !== undefined)(`the head ${title} says why it takes no blocks`, async () => {
    const { X, y } = blobs(['a', 'b'], 6, 5);
    await expectCode(createHead(name, options).fit(inBlocks(X), y), 'FIT_INVALID', new RegExp(inMemoryOnly!));
  });
}
