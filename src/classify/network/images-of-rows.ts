import { createHash } from 'node:crypto';
import { row } from '../../core/matrix.ts';
import { blocksOf, type Rows } from '../../core/rows.ts';

/**
 * The image that each row is of, shape (n), named by the first row of it: rows that `given` names alike (views of one
 * image), and rows with the same features to the last bit (equal files). One pass; 48 bits of a row's SHA-256 stand for
 * it, so that two different rows out of a million are taken for one in a run of five hundred.
 */
export async function imagesOfRows(rows: Rows, given?: Int32Array): Promise<Int32Array> {
  const images = new Int32Array(rows.rows);
  const byGiven = new Map<number, number>();
  const byContent = new Map<number, number>();
  for await (const { start, X } of blocksOf(rows)) {
    for (let j = 0; j < X.rows; j++) {
      const i = start + j;
      const features = row(X, j);
      const bytes = new Uint8Array(features.buffer, features.byteOffset, features.byteLength);
      const content = createHash('sha256').update(bytes).digest().readUIntBE(0, 6);
      const known = given && byGiven.get(given[i]!);
      // A view of a known image is that image's, whatever it looks like.
      images[i] = known ?? byContent.get(content) ?? i;
      if (given !== undefined && known === undefined) byGiven.set(given[i]!, images[i]);
      if (!byContent.has(content)) byContent.set(content, images[i]);
    }
  }
  return images;
}
