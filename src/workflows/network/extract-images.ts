import { PermafrostError } from '../../core/errors.ts';
import { widthOf, type Failure } from '../../core/sample.ts';
import { matrix, row, stacked, type Matrix } from '../../core/matrix.ts';
import { extractFeatures } from '../../extract/pipeline.ts';
import type { Extractor } from './extractor.ts';
import { progressMeter } from '../progress-meter.ts';
import type { Work } from '../work.ts';
import type { Output } from '../../extract/program.ts';

/** Features of loose images, the extractor's outputs side by side: row i for paths[i]. */
export interface ExtractedImages {
  readonly paths: readonly string[];
  /** SHA-256 of each file, lower-case hex. */
  readonly contents: readonly string[];
  readonly X: Matrix;
  readonly failed: readonly Failure[];
}

/**
 * Runs loose images through the network; nothing is stored. Equal files go once. `stage` names it to whoever waits.
 * Throws INTERRUPTED.
 */
export async function extractImages(
  files: readonly string[],
  extractor: Extractor,
  { signal, listener }: Work = {},
  stage = 'extracting',
): Promise<ExtractedImages> {
  const numbersOf = ({ cut, pooling }: Output): number =>
    widthOf(extractor.sets.find(({ settings }) => settings.cut === cut)!.widths, pooling);
  const width = extractor.outputs.reduce((sum, output) => sum + numbersOf(output), 0);
  const rowOf = new Map<string, Float32Array>();
  const contentOf = new Map<string, string>();
  const bySha = new Map<string, Float32Array>();
  const copies: { path: string; sha256: string }[] = [];
  const failed: Failure[] = [];
  const meter = progressMeter(stage, files.length, listener);
  const events = extractFeatures({
    root: '',
    samples: files.map((path) => ({ path, label: '', split: 'test' as const })),
    contract: extractor.contract,
    executable: extractor.executable,
    batch: Math.min(8, files.length),
    isKnown: (sha256) => bySha.has(sha256),
    ...(signal && { signal }),
  });
  for await (const event of events) {
    if (event.kind === 'failure') {
      failed.push(event.failure);
      meter.advance(1, 0);
    } else if (event.kind === 'known') {
      copies.push({ path: event.sample.path, sha256: event.sha256 });
      meter.advance(1, 0);
    } else {
      const { rows, outputs } = event.batch;
      for (const [i, { path, sha256 }] of rows.entries()) {
        const features = new Float32Array(width);
        let at = 0;
        for (const output of outputs) {
          features.set(row(output, i), at);
          at += output.cols;
        }
        rowOf.set(path, features);
        contentOf.set(path, sha256);
        bySha.set(sha256, features);
      }
      meter.advance(rows.length, rows.length);
    }
  }
  if (signal?.aborted === true) {
    const done = rowOf.size + copies.length + failed.length;
    throw new PermafrostError(
      'INTERRUPTED',
      `Interrupted after ${done} of ${files.length} images; nothing is stored.`,
      {
        cause: signal.reason,
      },
    );
  }
  for (const { path, sha256 } of copies) {
    rowOf.set(path, bySha.get(sha256)!);
    contentOf.set(path, sha256);
  }
  const paths = files.filter((path) => rowOf.has(path));
  const X = matrix(paths.length, width);
  paths.forEach((path, i) => X.data.set(rowOf.get(path)!, i * X.cols));
  return { paths, contents: paths.map((path) => contentOf.get(path)!), X, failed };
}

/** Features of squares of the contract's size, uint8 RGB, the outputs side by side: row i for squares[i]. */
export async function extractSquares({ executable }: Extractor, squares: readonly Uint8Array[]): Promise<Matrix> {
  const rows: Matrix[] = [];
  for (const square of squares) {
    const data = (await executable.run(square, 1)).flatMap((output) => [...row(output, 0)]);
    rows.push(matrix(1, data.length, Float32Array.from(data)));
  }
  return stacked(rows);
}
