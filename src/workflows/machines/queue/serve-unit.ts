import { PermafrostError } from '../../../core/errors.ts';
import type { Listener } from '../../../core/listener.ts';
import { plural } from '../../../core/words.ts';
import type { UnitOutcome } from '../unit-worker.ts';
import { crashingPositions, MOST_CRASHING } from './halve.ts';
import { isCrash, type Asking, type Crash, type NetworkProcess } from './network-process.ts';

/** A unit that was extracted whole, and published or found published. */
export type ServedUnit = UnitOutcome & { readonly outcome: Exclude<UnitOutcome['outcome'], 'tried'> };

export interface UnitService {
  /** The process of the network; a new one where the last one crashed. */
  readonly network: () => Promise<NetworkProcess>;
  /** Images of the unit. */
  readonly images: number;
  /** Whether the unit is not tried again after this. */
  readonly isLastAttempt: boolean;
  readonly listener: Listener | undefined;
}

/**
 * Extracts a unit. One that ended its process at all attempts is halved down to the images that do it: those become
 * failures, the others are extracted. Returns a crash where the unit is to be tried again. Throws ENGINE_FAILED where
 * no image is at fault, and what extraction throws.
 */
export async function serveUnit(unit: number, service: UnitService, order: Asking): Promise<ServedUnit | Crash> {
  const { network, images, isLastAttempt, listener } = service;
  const first = await (await network()).extract(unit, {}, order);
  if (!isCrash(first)) return first as ServedUnit;
  if (!isLastAttempt) return first;

  listener?.note?.(`Unit ${unit} ends the process of the network (${first.how}): looking for the image that does it.`);
  const crashes = async (from: number, to: number): Promise<boolean> =>
    isCrash(await (await network()).extract(unit, { only: [from, to] }, { signal: order.signal }));
  const blamed = images === 0 ? [] : await crashingPositions(0, images, crashes);
  if (blamed.length > MOST_CRASHING)
    throw new PermafrostError(
      'ENGINE_FAILED',
      `The process of the network ended with ${first.how}, and more than ${MOST_CRASHING} of its images do it each by itself: no image is at fault, but this machine, its memory or its engine.`,
    );
  if (blamed.length > 0)
    listener?.note?.(
      `Unit ${unit}: ${plural(blamed.length, 'image')} of it ${blamed.length === 1 ? 'ends' : 'end'} the process; recorded as IMAGE_CRASHED.`,
    );
  const second = await (await network()).extract(unit, { crashed: blamed }, order);
  if (!isCrash(second)) return second as ServedUnit;
  throw new PermafrostError(
    'ENGINE_FAILED',
    `The process of the network ended with ${second.how}, also without ${plural(blamed.length, 'image')} that did it alone. Is the memory of this machine too small?`,
  );
}
