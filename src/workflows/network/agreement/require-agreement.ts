import { join } from 'node:path';
import { canonicalJson, sha256Hex } from '../../../core/digest.ts';
import { PermafrostError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { cacheFolder } from '../../../core/machine/cache-folder.ts';
import { keep, readKept } from '../../../core/machine/kept-json.ts';
import type { EngineAgreement } from '../../../results/answer-results.ts';
import { present } from '../../../results/or-reason.ts';
import type { FeatureSettings } from '../../../store/format/fingerprint.ts';
import { insteadOfEngine } from '../engine/engine-choice.ts';
import type { Extractor } from '../extractor.ts';
import { compared, disagreement } from './compared.ts';
import type { FeatureMaker, Judge } from './judge.ts';

/** What the check is called while it runs. */
export const CHECKING = 'checking the engine';

/** An extractor, and the settings of the features that it is to make more of. */
export interface ExtractorFor {
  readonly extractor: Extractor;
  readonly settings: FeatureSettings;
}

const classOf = ({ extractor }: ExtractorFor): string => extractor.sets[0].settings.engineClass;

/**
 * Compares engines of another class than that of the features with theirs, once: the outcome is kept in the cache
 * folder by all that decides it. Undefined where no engine is of another class. Throws ENGINE_DISAGREES beyond the
 * bounds (compared.ts); where there is nothing to compare by ENGINE_UNAVAILABLE, or FINGERPRINT_MISMATCH where the own
 * class is here and another was asked for.
 */
export async function requireAgreement(
  extractors: readonly ExtractorFor[],
  judge: Judge,
  maker: FeatureMaker,
  listener: Listener = {},
): Promise<EngineAgreement | undefined> {
  const others = extractors.filter((one) => classOf(one) !== one.settings.engineClass);
  const [first] = others;
  if (first === undefined) return undefined;
  const joined = (names: readonly string[]): string => [...new Set(names)].join(' + ');
  const own = joined(others.map(({ settings }) => settings.engineClass));
  const other = joined(others.map(classOf));
  const engines = others.map(({ settings, extractor: { decisive } }) => ({ own: settings.engineClass, decisive }));
  const facts = { subject: await judge.subject(), engines };
  const file = join(cacheFolder('answers'), `${sha256Hex(canonicalJson(facts)).slice(0, 32)}.json`);
  const kept = await readKept(file, (json) => {
    const { agreement } = json as { readonly agreement: EngineAgreement };
    return disagreement(agreement) === undefined ? agreement : undefined;
  });
  if (kept !== undefined) return kept;
  const pairs = await judge.pairs(maker);
  if (!present(pairs)) throw withoutImages(first, other, pairs.missing);
  const agreement = { own, other, ...(await compared(pairs, judge.answersOf)) };
  const found = disagreement(agreement);
  if (found !== undefined)
    throw new PermafrostError(
      'ENGINE_DISAGREES',
      `The engine class ${other} was to answer for features of ${own}, and gives others: ${found}. Nothing was answered. ${insteadOfEngine()}`,
    );
  const problem = await keep(file, { agreement, facts });
  if (problem !== undefined) listener.note?.(`That ${other} agrees with ${own} is checked at each start: ${problem}`);
  return agreement;
}

/** That an engine of another class cannot be compared. */
function withoutImages({ extractor, settings }: ExtractorFor, other: string, missing: string): PermafrostError {
  const { ownEngineProblem: problem } = extractor;
  const differs = `What this engine gives does not fit: engineClass: "${other}", not "${settings.engineClass}".`;
  const code = problem === undefined ? 'FINGERPRINT_MISMATCH' : 'ENGINE_UNAVAILABLE';
  return new PermafrostError(
    code,
    `${problem ?? differs} ${other} may answer once it agrees with that class on some images, and there are none to compare by: ${missing} Bring those back. Or: ${problem === undefined ? 'leave --engine, --device and --precision out. ' : ''}${insteadOfEngine()}`,
  );
}
