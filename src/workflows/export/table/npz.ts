import { zipBytes } from './zip.ts';
import { npyHeader, npyIntegers, npyTexts, type NpyArray } from './npy.ts';
import { featureBatches, widthOfParts, type ExportedStore } from './table-rows.ts';
import { storedAnswers } from '../../train/answers/open-answers.ts';
import type { Work } from '../../work.ts';

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function* arrayBytes(array: NpyArray): AsyncGenerator<Uint8Array> {
  yield npyHeader(array);
  yield* array.data;
}

/**
 * A store as arrays for NumPy, without pickle: `X` float32 (n, d), `y` int64 (n), which are places in `classes`, `paths`,
 * `split`, and where a head's answers are joined `answer` int64 (n), -1 for none, `probability` float32 (n), NaN for
 * none, `out_of_fold` and `unknown` bool (n), and `answer_classes`.
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
    const numberOfAnswer = new Map(answers.seal.classes.map((label, c) => [label, c]));
    const answer = new Int32Array(length);
    const probability = new Float32Array(length);
    const [outOfFold, unknown] = [new Uint8Array(length), new Uint8Array(length)];
    let i = 0;
    for await (const one of storedAnswers(answers)) {
      answer[i] = one.answer === null ? -1 : numberOfAnswer.get(one.answer)!;
      probability[i] = one.probability ?? NaN;
      outOfFold[i] = Number(one.outOfFold);
      unknown[i] = Number(one.unknown === true);
      i++;
    }
    arrays.push(
      npyIntegers('answer', length, () => answer),
      { name: 'probability', descr: '<f4', shape: [length], data: [bytesOf(probability)] },
      { name: 'out_of_fold', descr: '|b1', shape: [length], data: [outOfFold] },
      { name: 'unknown', descr: '|b1', shape: [length], data: [unknown] },
      npyTexts('answer_classes', answers.seal.classes.length, () => answers.seal.classes),
    );
  }
  yield* zipBytes(arrays.map((array) => ({ name: `${array.name}.npy`, data: arrayBytes(array) })));
}
