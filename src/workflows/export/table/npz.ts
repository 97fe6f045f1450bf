import { zipBytes } from './zip.ts';
import { npyHeader, npyIntegers, npyTexts, type NpyArray } from './npy.ts';
import { featureBatches, widthOfParts, type ExportedStore } from './table-rows.ts';
import { argmax, row } from '../../../core/matrix.ts';
import { storedAnswers } from '../../train/answers/open-answers.ts';
import type { Work } from '../../work.ts';

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function* arrayBytes(array: NpyArray): AsyncGenerator<Uint8Array> {
  yield npyHeader(array);
  yield* array.data;
}

/**
 * A store as arrays for NumPy, without pickle: `X` float32 (n, d), `y` int64 (n), which are places in `classes`,
 * `paths`, `split`, and where a head's answers are joined `answer` int64 (n), which are places in `answer_classes`,
 * -1 for none, `P` float32 (n, classes), NaN for none, `out_of_fold` and `unknown` bool (n).
 */
export async function* npzBytes(from: ExportedStore, batchRows: number, work: Work): AsyncGenerator<Uint8Array> {
  const { store, parts, answers } = from;
  const samples = await store.samples();
  const length = samples.length;
  const each = <T>(of: (sample: { path: string; label: string; split: string }) => T) =>
    function* (): Generator<T> {
      for (const sample of samples) yield of(sample);
    };
  const classes = [...new Set(each(({ label }) => label)())].sort();
  const numberOf = new Map(classes.map((label, c) => [label, c]));
  const features = async function* () {
    for await (const { X } of featureBatches(from, batchRows, work)) yield bytesOf(X);
  };
  const arrays: NpyArray[] = [
    { name: 'X', descr: '<f4', shape: [length, widthOfParts(parts)], data: features() },
    npyIntegers(
      'y',
      length,
      each(({ label }) => numberOf.get(label)!),
    ),
    npyTexts(
      'paths',
      length,
      each(({ path }) => path),
    ),
    npyTexts(
      'split',
      length,
      each(({ split }) => split),
    ),
    npyTexts('classes', classes.length, () => classes),
  ];
  if (answers !== undefined) {
    const answer = new Int32Array(length);
    const [outOfFold, unknown] = [new Uint8Array(length), new Uint8Array(length)];
    let at = 0;
    for await (const rows of storedAnswers(answers)) {
      rows.answered.forEach((is, i) => (answer[at + i] = is === 1 ? argmax(row(rows.P, i)) : -1));
      outOfFold.set(rows.outOfFold, at);
      unknown.set(
        rows.unknown.map((is) => Number(is === 1)),
        at,
      );
      at += rows.paths.length;
    }
    const { classes: own } = answers.seal;
    const P = async function* () {
      for await (const rows of storedAnswers(answers)) yield bytesOf(rows.P.data);
    };
    arrays.push(
      npyIntegers('answer', length, () => answer),
      { name: 'P', descr: '<f4', shape: [length, own.length], data: P() },
      { name: 'out_of_fold', descr: '|b1', shape: [length], data: [outOfFold] },
      { name: 'unknown', descr: '|b1', shape: [length], data: [unknown] },
      npyTexts('answer_classes', own.length, () => own),
    );
  }
  yield* zipBytes(arrays.map((array) => ({ name: `${array.name}.npy`, data: arrayBytes(array) })));
}
