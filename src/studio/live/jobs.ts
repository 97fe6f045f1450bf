import { PermafrostError } from '../../core/errors.ts';
import { giveBackMemory } from './give-back-memory.ts';
import type { LiveNetwork } from './network.ts';
import type { Snapshot } from './store.ts';

/** Work that takes memory of its own beside the studio's: training, cross-validation, sweeps. */
export interface LiveJobs {
  /**
   * Runs it with the bytes that it may take, those of Node included. Where features are read in streams there is no
   * room for the network beside it, nor for another one: the network is unloaded meanwhile, and pictures are refused.
   * Throws OPTION_INVALID while another one is under way there.
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
