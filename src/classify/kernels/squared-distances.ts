import { type Matrix, matrix } from '../../core/matrix.ts';
import { joinedBlocks, type Rows } from '../../core/rows.ts';
import { checkAborted } from '../checks.ts';
import type { FitContext } from '../head.ts';
import { type Panel, panelBytes, panelColumns, type SymmetricPanels, valueAt } from '../linalg/symmetric-panels.ts';
import { rowStatistics } from '../solvers/row-statistics.ts';
import { type Centre, type CentredRows, centredRange, centredRows, crossDistances } from './kernel-graphs.ts';

/** Squared Euclidean distances of the rows, zeros on the diagonal: one matrix for every gamma, penalty and fold. */
export interface SquaredDistances extends SymmetricPanels {
  /** The mean of the rows (d), by which they were centred. */
  readonly centre: Centre;
}

/** Bytes of the distances of so many rows. */
export const distanceBytes = panelBytes;

/**
 * The distances between all rows (n, d). Rows in blocks are read once for the mean, then each block against those
 * before it. Throws FIT_INVALID for NaN or infinities, INTERRUPTED, and what reading throws.
 */
export async function squaredDistances(rows: Rows, context?: FitContext): Promise<SquaredDistances> {
  const { mean } = await rowStatistics(rows, new Int32Array(0), context);
  const centre = new Float32Array(mean);
  const X = rows.matrix;
  const panels =
    X === undefined ? await ofBlocks(rows, centre, context) : await ofRows(await centredRows(X, centre), context);
  panels.forEach(closeTriangle);
  return { rows: rows.rows, panels, centre };
}

async function ofRows(all: CentredRows, context?: FitContext): Promise<Panel[]> {
  const panels: Panel[] = [];
  for (const { start, end } of panelColumns(all.X.rows)) {
    checkAborted(context);
    panels.push({ start, block: await crossDistances(centredRange(all, 0, end), centredRange(all, start, end)) });
  }
  return panels;
}

async function ofBlocks(rows: Rows, centre: Centre, context?: FitContext): Promise<Panel[]> {
  const joined = joinedBlocks(rows);
  const { starts } = joined;
  const panels = emptyPanels(rows.rows);
  for (let p = 0; p + 1 < starts.length; p++) {
    const own = await centredRows(await joined.read(p), centre);
    for (let q = 0; q <= p; q++) {
      checkAborted(context);
      const before = q === p ? own : await centredRows(await joined.read(q), centre);
      place(await crossDistances(before, own), starts[q]!, starts[p]!, panels);
    }
  }
  return panels;
}

const emptyPanels = (rows: number): Panel[] =>
  panelColumns(rows).map(({ start, end }) => ({ start, block: matrix(end, end - start) }));

/** What of the rectangle D, which begins at line `top` and column `left`, lies in the panels. */
function place(D: Matrix, top: number, left: number, panels: readonly Panel[]): void {
  for (const { start, block } of panels) {
    const [from, to] = [Math.max(start, left), Math.min(start + block.cols, left + D.cols)];
    for (let i = top; from < to && i < Math.min(top + D.rows, block.rows); i++) {
      const line = (i - top) * D.cols - left;
      block.data.set(D.data.subarray(line + from, line + to), i * block.cols + from - start);
    }
  }
}

/** The triangle on the diagonal onto its other side, zeros between them. */
function closeTriangle({ start, block: { data, cols } }: Panel): void {
  const top = start * cols;
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j < i; j++) data[top + i * cols + j] = data[top + j * cols + i]!;
    data[top + i * cols + i] = 0;
  }
}

/** The distances between some of the rows, a new matrix; of all rows in their order the same one. */
export function distancesOf(distances: SquaredDistances, rows: readonly number[]): SquaredDistances {
  if (rows.length === distances.rows && rows.every((row, i) => row === i)) return distances;
  const some = Int32Array.from(rows);
  const panels = emptyPanels(rows.length);
  panels.forEach((panel) => gather(distances, some, panel));
  return { rows: rows.length, panels, centre: distances.centre };
}

function gather(distances: SquaredDistances, rows: Int32Array, { start, block: { data, cols } }: Panel): void {
  for (let i = 0, at = 0; i < start + cols; i++) {
    const line = rows[i]!;
    for (let j = start; j < start + cols; j++) data[at++] = valueAt(distances, line, rows[j]!);
  }
}
