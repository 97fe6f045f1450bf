import { PermafrostError } from '../../core/errors.ts';
import { giveBackMemory } from './give-back-memory.ts';
import type { LiveNetwork } from './network.ts';
import type { Snapshot } from './snapshot.ts';

/** Work that takes memory of its own: training, cross-validation, sweeps. */
export interface LiveJobs {
  /**
   * Runs it with the bytes that it may take, Node's included. Where features are streamed there is room for one job and
   * no network: it is unloaded meanwhile and refuses pictures. Throws OPTION_INVALID while another job runs there.
   */
  run<T>(snapshot: Snapshot, name: string, work: (room: number) => Promise<T>): Promise<T>;
}

export function liveJobs(network: LiveNetwork): LiveJobs {
  let underWay: string | undefined;
  return {
    async run(snapshot, name, work) {
      if (!snapshot.isStreamed) return work(snapshot.room);
      const reason = (what: string, instead: string): string =>
        `${what} is under way, and the memory allowed has no room for ${instead} beside it on a store of ${snapshot.samples.length} images. Wait for its end, or start the studio with more --memory.`;
      if (underWay !== undefined) throw new PermafrostError('OPTION_INVALID', reason(underWay, name.toLowerCase()));
      underWay = name;
      try {
        const wake = await network.rest(reason(name, 'the network'));
        giveBackMemory();
        try {
          return await work(snapshot.room);
        } finally {
          wake();
        }
      } finally {
        underWay = undefined;
      }
    },
  };
}
