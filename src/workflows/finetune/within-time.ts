/** Seconds of one run of the network: of a step of training, and of asking. */
export interface RunSeconds {
  readonly training: number;
  readonly asking: number;
}

/** Runs that each kind of images takes, a run that is not full counting as one. */
export interface RunCounts {
  readonly train: number;
  /** Of the search: those of Train that it trains on, and those that it holds out. */
  readonly searched: number;
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

type Wanted = Pick<TimedPlan, 'rates' | 'epochs'>;

/** Seconds of a plan: the start, the search, and training on all of Train. */
function secondsOf(
  { rates, epochs, refit }: Omit<TimedPlan, 'seconds'>,
  { train, searched, heldOut, validated }: RunCounts,
  { training, asking }: RunSeconds,
): number {
  const watched = (heldOut + validated) * asking;
  const start = (train + validated) * asking;
  const search = rates.length * epochs * (searched * training + watched);
  return start + search + (refit ? epochs * (train * training + validated * asking) : 0);
}

/**
 * The most of a recipe that has room in some seconds: all rates, then the first alone, each with as many epochs as fit,
 * of several rates two at least; last, one rate that is not trained again on all of Train. Undefined where not even
 * that has room with one epoch.
 */
export function planWithin(
  seconds: number,
  wanted: Wanted,
  counts: RunCounts,
  costs: RunSeconds,
): TimedPlan | undefined {
  const [first] = wanted.rates;
  const down = (rates: TimedPlan['rates'], refit: boolean, least: number) =>
    Array.from({ length: wanted.epochs - least + 1 }, (_, i) => ({ rates, epochs: wanted.epochs - i, refit }));
  const plans = [
    ...down(wanted.rates, true, Math.min(2, wanted.epochs)),
    ...down([first], true, 1),
    ...down([first], false, 1),
  ];
  const timed = plans.map((plan) => ({ ...plan, seconds: secondsOf(plan, counts, costs) }));
  return timed.find((plan) => plan.seconds <= seconds);
}

/** The least that can be run, in seconds: one rate, one epoch, nothing again. */
export const leastSeconds = (counts: RunCounts, costs: RunSeconds): number =>
  secondsOf({ rates: [1], epochs: 1, refit: false }, counts, costs);
