import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../core/digest.ts';
import { PermafrostError } from '../../core/errors.ts';
import { SPLITS, type Sample, type Split } from '../../core/sample.ts';
import type { ContentIndex } from '../../store/format/content-index.ts';
import { decodeList, idOf, type SampleRows, type StoredSample } from '../../store/format/shard.ts';
import type { KnownRows } from '../../store/write/known-rows.ts';
import { NO_CONTENT } from '../extract/sample-contents.ts';
import type { FinishedUnit } from './finished-units.ts';

/**
 * The images of a run while it is merged: of each its class, split and content, 13 bytes, and 8 of each content beside
 * what is known of it anyway. Paths and facts are read from the units whenever they are walked through.
 */
export interface MergedImages {
  readonly index: Pick<ContentIndex, 'size' | 'find' | 'digestOf'>;
  /** The content of each image of the units, NO_CONTENT where it has no features. */
  readonly numbers: Int32Array;
  readonly labelOf: (i: number) => string;
  /** Class and split of each image of the units as it was planned, in the order of the listing. */
  readonly listed: Iterable<Pick<Sample, 'label' | 'split'>>;
  /**
   * Adds the next unit: its images as they were planned, and as they have features, which are merged already. Throws
   * STORE_CORRUPT where the store has none of an image.
   */
  add(unit: FinishedUnit, planned: readonly Sample[]): void;
  /** Puts the images of held out contents into val; `held` has a 1 for these. */
  holdOut(held: Uint8Array): void;
  /** The images that have features. */
  rows(): SampleRows;
}

/** A larger copy of an array where it is full. */
function grown(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (length <= array.length) return array;
  const more = new Int32Array(Math.max(2 * array.length, length)).fill(NO_CONTENT);
  more.set(array);
  return more;
}

/** Numbers some of the contents that are known, 0, 1, 2, ... in the order in which they were added. */
function numbered(known: KnownRows) {
  /** By the number of a content among all that are known, and the other way round. */
  let own = new Int32Array(256).fill(NO_CONTENT);
  let all = new Int32Array(256);
  let size = 0;
  return {
    get size() {
      return size;
    },
    find: (sha256: string): number => own[known.find(sha256)] ?? NO_CONTENT,
    digestOf: (number: number): string => known.digestOf(all[number]!),
    /** NO_CONTENT for one that is not known. */
    add(sha256: string): number {
      const number = known.find(sha256);
      if (number < 0) return NO_CONTENT;
      own = grown(own, number + 1);
      if (own[number] !== NO_CONTENT) return own[number]!;
      all = grown(all, size + 1);
      all[size] = number;
      own[number] = size++;
      return own[number];
    },
  };
}

/** The images of a unit that have features, as its store lists them. Throws STORE_CORRUPT. */
export function* listedRows({ path, samples }: Pick<FinishedUnit, 'path' | 'samples'>): Generator<StoredSample> {
  const name = join(path, samples.name);
  // Read at once and not while others wait: lists of samples are walked through without a pause (SampleRows).
  const bytes = readFileSync(name);
  if (sha256Hex(bytes) !== samples.sha256)
    throw new PermafrostError(
      'STORE_CORRUPT',
      `${name} is not what was written. Remove the folder ${path}, and extract the unit again.`,
    );
  for (const rows of decodeList(bytes, name)) yield* rows;
}

/** No images yet, of a run that has `most`; `known` are the contents that the store has, with what is merged. */
export function mergedImages(most: number, known: KnownRows): MergedImages {
  const index = numbered(known);
  const units: FinishedUnit[] = [];
  const numbers = new Int32Array(most).fill(NO_CONTENT);
  const splits = new Uint8Array(most);
  const labels: string[] = [];
  const names = new Map<string, string>();
  const shared = (label: string): string => names.get(label) ?? (names.set(label, label), label);
  const splitAt = (i: number): Split => SPLITS[splits[i]!]!;
  /** Where each unit begins. */
  const begins: number[] = [];

  /** The images of a unit that have features, each with its place among all images. */
  function* placed(unit: FinishedUnit, begin: number, end: number, pathAt: (i: number) => string | undefined) {
    let at = begin;
    for (const row of listedRows(unit)) {
      while (at < end && pathAt(at) !== row.path) at++;
      if (at === end)
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${unit.path} lists ${row.path}, which was not planned for it. Remove that folder, and extract the unit again.`,
        );
      yield { row, at: at++ };
    }
  }

  return {
    index,
    get numbers() {
      return numbers.subarray(0, labels.length);
    },
    labelOf: (i) => labels[i]!,
    listed: {
      *[Symbol.iterator]() {
        for (let i = 0; i < labels.length; i++) yield { label: labels[i]!, split: splitAt(i) };
      },
    },
    add(unit, planned) {
      const begin = labels.length;
      units.push(unit);
      begins.push(begin);
      for (const { label, split } of planned) {
        splits[labels.length] = SPLITS.indexOf(split);
        labels.push(shared(label));
      }
      const placedRows = placed(unit, begin, labels.length, (i) => planned[i - begin]?.path);
      for (const { row, at } of placedRows) {
        numbers[at] = index.add(row.sha256);
        if (numbers[at] !== NO_CONTENT) continue;
        throw new PermafrostError(
          'STORE_CORRUPT',
          `${unit.path} lists ${row.path}, and has no features of it. Remove that folder, run "permafrost plan" again with the same options, and extract the unit again.`,
        );
      }
    },
    holdOut(held) {
      for (let i = 0; i < labels.length; i++)
        if (numbers[i] !== NO_CONTENT && held[numbers[i]!] === 1) splits[i] = SPLITS.indexOf('val');
    },
    rows() {
      return {
        length: numbers.subarray(0, labels.length).reduce((found, number) => found + Number(number !== NO_CONTENT), 0),
        *[Symbol.iterator](): Generator<StoredSample> {
          for (const [n, unit] of units.entries()) {
            let at = begins[n]!;
            for (const { path, sha256 } of listedRows(unit)) {
              // Images without features stand in no list.
              while (numbers[at] === NO_CONTENT) at++;
              yield { id: idOf(sha256), path, label: labels[at]!, split: splitAt(at), ...known.factsOf(sha256) };
              at++;
            }
          }
        },
      };
    },
  };
}
