import { PermafrostError, reasonOf } from '../../core/errors.ts';
import type { StrategiesResult, StrategyName } from '../../results/strategies-result.ts';
import { openLooks } from '../../store/format/validation-looks.ts';
import { openStore } from '../../store/open.ts';
import { currentSet } from '../../store/read/stored-parts.ts';
import { memoryBound } from '../memory.ts';
import type { Work } from '../work.ts';
import { adviceOn } from './advice.ts';
import { comparedTrials, pairedWith, type Tried } from './compare.ts';
import { exactHead, exactPlan, type ExactHead } from './exact-head.ts';
import { trialFeatures } from './features.ts';
import { bestEarlier, earlierLayers } from './layers.ts';
import { reportHead, reportPlan } from './report-head.ts';
import { TUNED_STRATEGIES, tunedStrategy } from './tuned-trials.ts';

/** Cuts of which the strategies make use: the last as a map too, which the layers behind it are trained on. */
export const STRATEGIES_CUT = 'block3_pool:avg,block4_pool,block5_pool';

/** What the strategies are given. */
export interface StrategiesRequest {
  /** Minutes that the trainings may take. */
  readonly minutes: number;
  /** As the options of `run`. */
  readonly memory: string;
  readonly weights: string;
}

/** What became of the trials so far. */
interface Outcome {
  readonly tried: Tried[];
  readonly skipped: StrategiesResult['skipped'][number][];
}

const tell = ({ listener }: Work, name: string, done: number, total: number): void =>
  listener?.progress?.({ stage: `strategies: ${name}`, done, total, perSecond: 0, unit: 'trials' });

/** A trial that cannot be made is left out with the reason. */
async function attempt<T>(
  outcome: Outcome,
  strategy: StrategyName,
  name: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const left = ['FIT_INVALID', 'OPTION_INVALID', 'PACKAGE_MISSING', 'ENGINE_UNAVAILABLE'];
    if (!(error instanceof PermafrostError && left.includes(error.code))) throw error;
    outcome.skipped.push({ strategy, name, reason: reasonOf(error) });
    return undefined;
  }
}

/**
 * The four strategies of the 2020 report on what a store holds, cheap ones first: heads on the deepest layer, heads on
 * others, the last block trained, all layers trained. Training images alone choose and advise; the validated images are
 * watched and judge. Throws FIT_INVALID, STORE_EMPTY, INTERRUPTED, and what reading throws.
 */
export async function strategiesOf(
  storePath: string,
  { minutes, memory, weights }: StrategiesRequest,
  work: Work = {},
): Promise<StrategiesResult> {
  const started = performance.now();
  const store = await openStore(storePath);
  const request = { owner: 'run', store, bound: memoryBound(memory, work) };
  const outcome: Outcome = { tried: [], skipped: [] };
  const count = await openLooks(store.path, work.listener);
  const layers = earlierLayers(store);
  const total = 2 + layers.length + TUNED_STRATEGIES.length;
  let done = 0;

  tell(work, 'frozen head', done++, total);
  const deepest = await trialFeatures(request, 'avg', exactPlan(1), work);
  const frozen = await exactHead({ strategy: 'head-only', name: 'frozen head' }, deepest, undefined, work);

  tell(work, "the report's head", done++, total);
  const flat = await attempt(outcome, 'head-only', "the report's head", async () =>
    reportHead(await trialFeatures(request, 'flatten', reportPlan(1), work), frozen.answers, work),
  );
  if (flat !== undefined) outcome.tried.push(flat);

  const ofLayers: { readonly cut: string; readonly head: ExactHead }[] = [];
  for (const { name, features } of layers) {
    tell(work, name, done++, total);
    const head = await attempt(outcome, 'layers-as-features', name, async () => {
      const found = await trialFeatures(request, features, exactPlan(1), work);
      return exactHead({ strategy: 'layers-as-features', name }, found, frozen, work);
    });
    if (head === undefined) continue;
    outcome.tried.push(pairedWith(head.trial, head.answers, frozen.answers));
    if (features.length === 1) ofLayers.push({ cut: features[0]!.cut, head });
  }
  if (layers.length === 0)
    outcome.skipped.push({
      strategy: 'layers-as-features',
      name: 'heads on other layers',
      reason: 'one layer alone was extracted; name others with --cut, or leave --cut out.',
    });

  for (const tuned of TUNED_STRATEGIES) {
    const { strategy, name, share } = tuned;
    tell(work, name, done++, total);
    const left = 60 * minutes - (performance.now() - started) / 1000;
    const room = { seconds: Math.max(1, share * left), memory, weights };
    const trial = await attempt(outcome, strategy, name, () => tunedStrategy(store.path, tuned, room, work));
    if (trial !== undefined) outcome.tried.push(trial);
  }

  const { train, val, validatedOn } = deepest.data;
  // Fine-tuning counts its own.
  const heads = [frozen.trial, ...outcome.tried.map(({ trial }) => trial)].filter(({ kept }) => kept === undefined);
  const epochs = heads.flatMap(({ curves }) => curves.flatMap((curve) => curve.epochs.slice(1)));
  const looks = await count.add('run', validatedOn, heads.length + epochs.length);
  const trials = [{ ...frozen.trial, comparison: null }, ...comparedTrials(outcome.tried, val.rows)];
  const counts = new Map<string, number>();
  for (const label of train.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return {
    trained: train.rows,
    validated: val.rows,
    validatedOn,
    minutes,
    seconds: (performance.now() - started) / 1000,
    trials,
    skipped: outcome.skipped,
    ...(looks && { looks }),
    advice: adviceOn({
      counts: [...counts.values()],
      layers: bestEarlier({ cut: currentSet(store).settings.cut, head: frozen }, ofLayers),
      trials,
    }),
  };
}
