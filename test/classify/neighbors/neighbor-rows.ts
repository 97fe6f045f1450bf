import { row, type Matrix } from '../../../src/core/matrix.ts';
import { random } from '../../../src/core/random.ts';
import { clustered } from './neighbor-contract.ts';

/** How rows lie to each other: what makes a search by rounded numbers go wrong. */
export const SHAPES = ['clusters', 'copies', 'last bits', 'one direction', 'signs', 'zeros', 'tiny', 'huge'] as const;

/** The value next to a float32, or the one after. */
function nudged(value: number, by: number): number {
  const bits = new Int32Array(new Float32Array([value]).buffer);
  bits[0]! += by;
  return new Float32Array(bits.buffer)[0]!;
}

/** `rows` rows of that shape. */
export function rowsOf(shape: (typeof SHAPES)[number], rows: number, cols: number, seed: number): Matrix {
  const X = clustered(rows, cols, seed);
  const source = random(seed + 1);
  for (let i = 0; i < rows; i++) {
    const own = row(X, i);
    if (shape === 'copies' && i >= 3) own.set(row(X, source.below(3)));
    if (shape === 'last bits') {
      own.set(row(X, 0));
      const j = source.below(cols);
      own[j] = nudged(own[j]! + 1, source.below(3));
    }
    // Rows that differ by their lengths and hardly by their directions.
    if (shape === 'one direction') own.set(row(X, 0).map((value) => value * (1 + i / rows) + 1e-6 * source.normal()));
    if (shape === 'signs') for (let j = 0; j < cols; j++) own[j]! -= 2 * source.normal();
    if (shape === 'zeros' && i % 5 === 0) own.fill(0);
    if (shape === 'tiny') for (let j = 0; j < cols; j++) own[j]! *= 1e-22;
    if (shape === 'huge') for (let j = 0; j < cols; j++) own[j]! *= 1e22;
  }
  return X;
}
