import { canonicalJson } from '../../core/digest.ts';
import { POOLINGS } from '../../core/sample.ts';
import type { FeatureSettings } from '../../store/format/fingerprint.ts';
import { headNetworks, type HeadDocument } from '../../store/read/heads/head-file.ts';
import { cutsOfParts, partsOf, type CutRequest } from '../network/cuts.ts';
import { extractorLike, type Extractor, type LazyExecutable } from '../network/extractor.ts';
import { sharedRuns } from './shared-runs.ts';

/** Opens networks as extractorLike does. */
export type OpenExtractor = typeof extractorLike;

/** A network that several heads read. */
interface Shared {
  /** What any of them reads. */
  cuts: CutRequest[];
  heads: number;
  opened?: Promise<Extractor>;
  run?: Extractor['executable']['run'];
  users: number;
}

/** Cuts with the poolings that any of two lists asks for. */
function union(some: readonly CutRequest[], others: readonly CutRequest[]): CutRequest[] {
  const cuts = [...new Set([...some, ...others].map(({ cut }) => cut))];
  return cuts.map((cut) => {
    const own = [...some, ...others].filter((one) => one.cut === cut).flatMap(({ poolings }) => poolings);
    return { cut, poolings: POOLINGS.filter((pooling) => own.includes(pooling)) };
  });
}

/** What one head takes of a network that gives more. */
function partOf(whole: Extractor, cuts: readonly CutRequest[], executable: LazyExecutable): Extractor {
  const sets = cuts.map(({ cut, poolings }) => ({
    ...whole.sets.find(({ settings }) => settings.cut === cut)!,
    poolings,
  }));
  return {
    ...whole,
    sets: sets as [(typeof sets)[number], ...typeof sets],
    outputs: partsOf(cuts),
    executable,
    networks: [executable],
  };
}

/**
 * Opens the networks of several heads, each network once: heads whose features begin with the same settings (network,
 * contract, deepest cut, engine class, calibration) share it, and it gives the poolings and further cuts of all of
 * them. Heads that are cut elsewhere have their own: nobody waits for layers that another head asks for. It is freed
 * when all of them have disposed of it.
 */
export function sharedNetworks(documents: readonly HeadDocument[]): OpenExtractor {
  const shared = new Map<string, Shared>();
  const keyOf = (settings: FeatureSettings): string => canonicalJson(settings);
  for (const { settings, parts } of documents.flatMap(headNetworks)) {
    const known = shared.get(keyOf(settings)) ?? { cuts: [], heads: 0, users: 0 };
    known.cuts = union(known.cuts, cutsOfParts(parts));
    known.heads++;
    shared.set(keyOf(settings), known);
  }
  return async (settings, request, listener) => {
    const own = shared.get(keyOf(settings));
    if (own === undefined || own.heads === 1) return extractorLike(settings, request, listener);
    own.opened ??= extractorLike(settings, { ...request, cuts: own.cuts }, listener);
    const whole = await own.opened;
    const { executable, contract, outputs } = whole;
    own.run ??= sharedRuns((pixels, count) => executable.run(pixels, count), contract.size ** 2 * 3);
    const { run } = own;
    const wanted = partsOf(request.cuts);
    const at = wanted.map(({ cut, pooling }) =>
      outputs.findIndex((output) => output.cut === cut && output.pooling === pooling),
    );
    own.users++;
    let isOpen = true;
    return partOf(whole, request.cuts, {
      load: () => executable.load(),
      check: () => executable.check(),
      async run(pixels, count) {
        const found = await run(pixels, count);
        return at.map((output) => found[output]!);
      },
      async dispose() {
        if (!isOpen) return;
        isOpen = false;
        if (--own.users === 0) await executable.dispose();
      },
    });
  };
}
