import { PermafrostError } from '../../core/errors.ts';
import { resolveOptions } from '../../core/options.ts';
import type { BackboneResult } from '../../results/backbone-results.ts';
import type { Work } from '../work.ts';
import { checkContract } from './check/check-contract.ts';
import { describeNetwork } from './open-network.ts';
import { DESCRIBE_OPTIONS, type BackboneOptions } from './options.ts';
import { writeDescription } from './write-description.ts';

export type { BackboneOptions } from './options.ts';

/**
 * What the network of a name or an ONNX file is: input, outputs, sensible cuts with their measured shapes, and how
 * images enter it and where that is said. `write` keeps it as backbone.json beside the file; `check` compares the
 * contract with its neighbours on a data set. Without a contract it says so in `contractMissing`, and these two throw
 * CONTRACT_MISSING. Throws OPTION_INVALID, BACKBONE_NOT_FOUND, BACKBONE_INVALID, CONTRACT_INVALID too.
 */
export async function backbone(
  name: string,
  given: Partial<BackboneOptions> = {},
  work: Work = {},
): Promise<BackboneResult> {
  const options = resolveOptions('backbone', DESCRIBE_OPTIONS, given);
  const notes: string[] = [];
  const listener = { ...work.listener, note: (text: string) => void notes.push(text) };
  const described = await describeNetwork(name, options, listener);
  const { facts, network, cuts } = described;
  const asksForContract = options.write || options.check !== '';
  if (asksForContract && facts.contractMissing !== null)
    throw new PermafrostError('CONTRACT_MISSING', facts.contractMissing);
  const check =
    options.check === '' || network === undefined
      ? null
      : await checkContract({ network, cuts, dataset: options.check, ...options }, work);
  const written = options.write ? await writeDescription(described, options.overwrite) : null;
  return { ...facts, notes, written, check };
}
