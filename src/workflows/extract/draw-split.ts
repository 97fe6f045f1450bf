import { holdOut, placeOfContent, SIDES } from '../../classify/evaluate/hold-out.ts';
import { PermafrostError } from '../../core/errors.ts';
import { plural } from '../../core/words.ts';
import type { Sample } from '../../core/sample.ts';
import type { Dataset } from '../../extract/dataset/dataset.ts';
import type { StoreFolder } from '../../store/format/manifest.ts';
import type { SplitOrigin } from '../../store/format/split-origin.ts';
import { keptSplit, type KeptSplit } from './kept-split.ts';
import { EXTRACT_DEFAULTS, type ExtractOptions } from './options.ts';
import type { Work } from '../work.ts';
import { NO_CONTENT, type SampleContents } from './sample-contents.ts';

type DrawOptions = Pick<ExtractOptions, 'seed' | 'valFraction' | 'resplit'>;

/** A data set with its splits, and how they came about. */
export interface SplitDataset {
  readonly dataset: Dataset;
  readonly contents: SampleContents;
  readonly origin: SplitOrigin;
  /** What the user should know of it. */
  readonly remarks: readonly string[];
}

/** Throws OPTION_INVALID where a new draw is asked for of a data set that names its splits. */
export function requireDrawn({ root, hasSplits }: Dataset, { resplit }: DrawOptions): void {
  if (!resplit || !hasSplits) return;
  throw new PermafrostError(
    'OPTION_INVALID',
    `--resplit draws anew what permafrost holds out, and ${root} names its own splits. Leave the option out.`,
  );
}

/** With what new images are drawn: as the store's split was, unless it is drawn anew. */
function originOf(kept: KeptSplit | undefined, { seed, valFraction, resplit }: DrawOptions) {
  return (resplit ? undefined : kept?.origin) ?? ({ by: 'content', seed, valFraction } as const);
}

/**
 * The contents that will be held out, as far as that is known before all are: what is calibrated before extraction
 * leaves them out.
 */
export async function heldOutBefore(
  dataset: Dataset,
  store: StoreFolder,
  options: DrawOptions,
  work: Work,
): Promise<{ has(sha256: string): boolean }> {
  if (dataset.hasSplits) return new Set();
  const kept = await keptSplit(store, work);
  const { seed, valFraction } = originOf(kept, options);
  return {
    has(sha256) {
      const side = options.resplit ? SIDES.open : (kept?.sideOf(sha256) ?? SIDES.open);
      return side === SIDES.open ? placeOfContent(sha256, seed) < valFraction : side === SIDES.val;
    },
  };
}

/** Images whose contents were found and numbered, as a split is drawn of them. */
export interface FoundImages extends Pick<SampleContents, 'index' | 'numbers'> {
  /** The class of image i. */
  readonly labelOf: (i: number) => string;
}

/** Which contents are held out, a 1 for each, shape (contents), how that came about, and what the user should know. */
export interface Draw extends Pick<SplitDataset, 'remarks'> {
  readonly origin: Extract<SplitOrigin, { by: 'content' }>;
  readonly held: Uint8Array;
}

/** Holds some contents out (holdOut); those that the store has keep their side. */
export function drawHeldOut(
  { index, numbers, labelOf }: FoundImages,
  kept: KeptSplit | undefined,
  options: DrawOptions,
): Draw {
  const origin = originOf(kept, options);
  const sides = new Uint8Array(index.size);
  const places = new Float64Array(index.size);
  for (let n = 0; n < index.size; n++) {
    const sha256 = index.digestOf(n);
    sides[n] = kept?.sideOf(sha256) ?? SIDES.open;
    places[n] = placeOfContent(sha256, origin.seed);
  }
  // Typed: of ten million images an array of numbers has 80 MB.
  const found = Uint32Array.from(numbers, (_, i) => i).filter((i) => numbers[i] !== NO_CONTENT);
  const held = holdOut(
    {
      places,
      kept: options.resplit ? new Uint8Array(sides.length) : sides,
      contents: Int32Array.from(found, (i) => numbers[i]!),
      labels: Array.from(found, labelOf),
    },
    origin.valFraction,
  );
  const counted = (wanted: (content: number) => boolean): number => found.filter((i) => wanted(numbers[i]!)).length;
  const remarks = remarksOf({
    heldOut: counted((n) => held[n] === 1),
    images: found.length,
    known: counted((n) => sides[n] !== SIDES.open),
    moved: counted((n) => sides[n] !== SIDES.open && (sides[n] === SIDES.val) !== (held[n] === 1)),
    kept,
    origin,
    options,
  });
  return { held, origin, remarks };
}

/**
 * The splits of a data set whose contents were found. One that names none has some contents held out. What was done is
 * added to the warnings.
 */
export function drawSplit(
  dataset: Dataset,
  contents: SampleContents,
  kept: KeptSplit | undefined,
  options: DrawOptions,
): SplitDataset {
  if (dataset.hasSplits) return { dataset, contents, origin: { by: 'dataset' }, remarks: [] };
  const { index, numbers } = contents;
  const labelOf = (i: number): string => dataset.samples[i]!.label;
  const { held, origin, remarks } = drawHeldOut({ index, numbers, labelOf }, kept, options);
  const isHeld = (i: number): boolean => numbers[i] !== NO_CONTENT && held[numbers[i]!] === 1;
  const samples = dataset.samples.map((sample, i): Sample => (isHeld(i) ? { ...sample, split: 'val' } : sample));
  return { dataset: { ...dataset, samples }, contents: contents.under(samples), origin, remarks };
}

/** What is said of a draw. */
interface Drawn {
  readonly heldOut: number;
  readonly images: number;
  /** Images whose content the store had, on one side; and those of them that are on the other one now. */
  readonly known: number;
  readonly moved: number;
  readonly kept: KeptSplit | undefined;
  readonly origin: Extract<SplitOrigin, { by: 'content' }>;
  readonly options: DrawOptions;
}

function remarksOf({ heldOut, images, known, moved, kept, origin, options }: Drawn): string[] {
  const held = `The data set names no validation images: ${heldOut} of ${images} are held out`;
  const how = `by the content of their files (seed ${origin.seed}, part ${origin.valFraction})`;
  if (kept === undefined) return [`${held} ${how}.`];
  if (options.resplit)
    return [
      `${held}, drawn anew ${how}: ${moved} of ${plural(known, 'image')} that the store had changed sides. No head is scored on images that it was trained on.`,
    ];
  const remarks = [
    `${held}, as the store holds them: ${plural(known, 'image')} kept their side, ${images - known} were drawn ${how}.`,
  ];
  const { seed, valFraction } = options;
  const asked = kept.origin ?? EXTRACT_DEFAULTS;
  if (asked.seed !== seed || asked.valFraction !== valFraction)
    remarks.push(
      `The store keeps its split${kept.origin === undefined ? '' : `, drawn with seed ${asked.seed} and part ${asked.valFraction}`}: --seed ${seed} and --val-fraction ${valFraction} do not change it. --resplit draws anew.`,
    );
  if (kept.parted > 0)
    remarks.push(
      `An older version held out copies of training images: ${plural(kept.parted, 'file')} of equal content stood on both sides, and were drawn anew.`,
    );
  return remarks;
}
