import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { PermafrostError, reasonOf } from '../core/errors.ts';
import { stampText } from '../core/file-stamp.ts';
import { matrix } from '../core/matrix.ts';
import type { RowSource } from '../core/row-source.ts';
import type { FeaturePart, Split } from '../core/sample.ts';
import { decodeFloat16 } from './float16.ts';
import type { FileEntry, Manifest } from './manifest.ts';
import { storedParts, type StoredPart } from './parts.ts';
import { eachSample, readVerified } from './reader.ts';
import { rowTargets } from './row-targets.ts';
import { decodeShard, type StoredSample } from './shard.ts';

/** Features of one split as a stream: row i is of samples[i], in the order in which they are stored. */
export interface FeatureStream extends RowSource {
  readonly samples: readonly StoredSample[];
  /** Bytes that reading takes at once: the largest file, and its rows in float32. */
  readonly memory: number;
  /** How often all rows were read: a fit's cost. */
  readonly passes: () => number;
}

interface Block {
  /** The file of the features. */
  readonly file: FileEntry;
  /** Rows of the file that are wanted, ascending; a content that two samples share stands twice. */
  readonly picks: readonly number[];
}

/** Which rows of which shards are the wanted samples; samples in that order. */
async function layOut(store: string, { set, pooling }: StoredPart, wanted: readonly StoredSample[]) {
  const targets = rowTargets(wanted.map(({ sha256 }) => sha256));
  const blocks: Block[] = [];
  const samples: StoredSample[] = [];
  for (const { files } of set.shards) {
    const picks: number[] = [];
    const { rows: entry, [pooling]: file } = files;
    // Written without that pooling: another shard has these rows with it.
    if (file === undefined) continue;
    let at = 0;
    for (const { rows } of decodeShard(await readVerified(store, entry), join(store, entry.name))) {
      for (const { sha256 } of rows) {
        targets.meet(sha256, (place) => {
          picks.push(at);
          samples.push(wanted[place]!);
        });
        at++;
      }
    }
    if (picks.length > 0) blocks.push({ file, picks });
  }
  if (targets.missing > 0) {
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${store} lacks the features of ${targets.missing} images. Run "permafrost extract" again.`,
    );
  }
  return { blocks, samples };
}

/**
 * The current features of one part and split, a shard a block. A shard's file is read whole and compared with its digest when it is read first, later
 * with its size, times and inode. `all` are the store's images under labels and splits that count in place of the stored ones. Throws
 * STORE_EMPTY; STORE_CORRUPT, also in `read`.
 */
export async function streamFeatures(
  store: string,
  manifest: Manifest,
  wanted: FeaturePart,
  split: Split,
  all?: readonly StoredSample[],
): Promise<FeatureStream> {
  const [part] = storedParts(store, manifest, [wanted]) as [StoredPart];
  const cols = part.width;
  const listed: StoredSample[] = [];
  for await (const sample of all ?? eachSample(store, manifest))
    if (sample.split === split) listed.push(sample);
  const { blocks, samples } = await layOut(store, part, listed);
  const starts = [0];
  for (const { picks } of blocks) starts.push(starts.at(-1)! + picks.length);
  const mostRows = Math.max(0, ...blocks.map(({ picks }) => picks.length));
  const mostBytes = Math.max(0, ...blocks.map(({ file: { bytes } }) => bytes));
  const verified = new Map<string, string>();
  let file: Buffer | undefined;
  let values: Float32Array<ArrayBuffer> | undefined;
  let read = 0;

  /** The file's bytes, in the one buffer that all files are read into. */
  async function bytesOf(entry: FileEntry): Promise<Buffer> {
    file ??= Buffer.allocUnsafeSlow(mostBytes);
    const path = join(store, entry.name);
    let stamp: string;
    let length = 0;
    try {
      const handle = await open(path);
      try {
        const facts = await handle.stat({ bigint: true });
        stamp = stampText(facts);
        if (facts.size === BigInt(entry.bytes))
          ({ bytesRead: length } = await handle.read(file, 0, entry.bytes, 0));
      } finally {
        await handle.close();
      }
    } catch (cause) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} cannot be read: ${reasonOf(cause)}. Restore it, or extract again into a new store.`,
        { cause },
      );
    }
    const bytes = file.subarray(0, length);
    const known = verified.get(entry.name) === stamp && length === entry.bytes;
    if (!known && createHash('sha256').update(bytes).digest('hex') !== entry.sha256) {
      throw new PermafrostError(
        'STORE_CORRUPT',
        `${path} is not what was written (expected ${entry.bytes} bytes with SHA-256 ${entry.sha256.slice(0, 16)}…). Restore it, or extract again into a new store.`,
      );
    }
    verified.set(entry.name, stamp);
    return bytes;
  }

  return {
    rows: samples.length,
    cols,
    starts,
    samples,
    memory: mostBytes + mostRows * cols * 4,
    passes: () => (samples.length === 0 ? 0 : read / samples.length),
    async read(block, scales) {
      const { file: entry, picks } = blocks[block]!;
      values ??= new Float32Array(mostRows * cols);
      const start = starts[block]!;
      let at = 0;
      let first = 0;
      for (const { rows, features } of decodeShard(await bytesOf(entry), join(store, entry.name))) {
        if (features?.width !== cols) {
          throw new PermafrostError(
            'STORE_CORRUPT',
            `${store}: a shard of ${part.pooling} has the width ${features?.width}, not ${cols}.`,
          );
        }
        for (; at < picks.length && picks[at]! < first + rows.length; at++) {
          const from = (picks[at]! - first) * cols;
          writeRow(features.values.subarray(from, from + cols), values, at * cols, scales?.[start + at]);
        }
        first += rows.length;
      }
      read += picks.length;
      return matrix(picks.length, cols, values.subarray(0, picks.length * cols));
    },
  };
}

/** A stored row as float32 into `out` from `at`, times `scale`. */
function writeRow(row: Uint16Array | Float32Array, out: Float32Array, at: number, scale = 1): void {
  if (row instanceof Uint16Array) decodeFloat16(row, out, at, scale);
  else for (let j = 0; j < row.length; j++) out[at + j] = row[j]! * scale;
}
