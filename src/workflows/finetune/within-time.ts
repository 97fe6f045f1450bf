/** Seconds that one image takes: trained once, asked once. */
export interface ImageSeconds {
  readonly training: number;
  readonly asking: number;
}

/** How many images of each kind there are. */
export interface ImageCounts {
  readonly train: number;
  /** Those of `train` that the search holds out. */
  readonly heldOut: number;
  readonly validated: number;
}

/** What of a recipe is run. */
export interface TimedPlan {
  readonly rates: readonly [number, ...number[]];
  readonly epochs: number;
  /** Whether the chosen rate is trained again on all of Train; else the network of the search is kept. */
  readonly refit: boolean;
  /** Seconds that it will take. */
  readonly seconds: number;
}

/** Seconds of a plan: the start, the search, and training on all of Train. */
function secondsOf(
  { rates, epochs, refit }: Pick<TimedPlan, 'rates' | 'epochs' | 'refit'>,
  { train, heldOut, validated }: ImageCounts,
  { training, asking }: ImageSeconds,
): number {
  const watched = (heldOut + validated) * asking;
  const start = train * asking + watched + validated * asking;
  const search = rates.length * epochs * ((train - heldOut) * training + watched);
  return start + search + (refit ? epochs * (train * training + validated * asking) : validated * asking);
}

/**
 * The most of a recipe that has room in some seconds: all rates, then the first rate alone, each with as many epochs as
 * fit (of several rates at least two); last, one rate without training on all of Train. Undefined where not even one
 * epoch of that has room: `seconds` of the least plan is then thrown away by the caller with a reason.
 */
export function planWithin(
  seconds: number,
  wanted: Pick<TimedPlan, 'rates' | 'epochs'>,
  counts: ImageCounts,
  costs: ImageSeconds,
): TimedPlan | undefined {
  const [first] = wanted.rates;
  const down = (rates: TimedPlan['rates'], refit: boolean, least: number) =>
    Array.from({ length: Math.max(0, wanted.epochs - least + 1) }, (_, i) => ({
      rates,
      epochs: wanted.epochs - i,
      refit,
    }));
  const plans = [
    ...down(wanted.rates, true, Math.min(2, wanted.epochs)),
    ...down([first], true, 1),
    ...down([first], false, 1),
  ];
  for (const plan of plans) {
    const taken = secondsOf(plan, counts, costs);
    if (taken <= seconds) return { ...plan, seconds: taken };
  }
  return undefined;
}

/** The least that can be run, in seconds: one rate, one epoch, nothing again. */
export const leastSeconds = (counts: ImageCounts, costs: ImageSeconds): number =>
  secondsOf({ rates: [1], epochs: 1, refit: false }, counts, costs);
