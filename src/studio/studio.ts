import type { Listener } from '../core/results.ts';
import { liveHeads, type LiveHeads } from '../workflows/live/live-heads.ts';
import { liveMap, type LiveMap } from '../workflows/live/live-map.ts';
import { liveNetwork, type LiveNetwork } from '../workflows/live/live-network.ts';
import { livePictures, type LivePictures } from '../workflows/live/live-pictures.ts';
import { openLiveStore, type LiveStore } from '../workflows/live/live-store.ts';
import type { StudioOptions } from './studio-options.ts';

/** Everything that the routes ask. */
export interface Studio {
  readonly store: LiveStore;
  readonly network: LiveNetwork;
  readonly heads: LiveHeads;
  readonly pictures: LivePictures;
  readonly map: LiveMap;
  close(): Promise<void>;
}

/** Opens a store for the studio and begins to load the network. */
export async function openStudio(
  storePath: string,
  { weights }: StudioOptions,
  listener: Listener,
): Promise<Studio> {
  const store = await openLiveStore(storePath);
  const network = liveNetwork(weights || undefined, listener);
  const map = liveMap(listener);
  // In the background: who only browses needs no network, and what is wrong with it is told again by the first search.
  store
    .current()
    .then((snapshot) => network.warm(snapshot))
    .catch((error: unknown) => listener.note?.(`The network is not ready: ${String(error)}`));
  return {
    store,
    network,
    heads: liveHeads(store.path),
    pictures: livePictures(),
    map,
    async close() {
      map.dispose();
      await network.dispose();
    },
  };
}
