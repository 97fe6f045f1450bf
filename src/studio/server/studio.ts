import { join, resolve } from 'node:path';
import { reasonOf } from '../../core/errors.ts';
import type { Listener } from '../../core/listener.ts';
import { memoryBound } from '../../workflows/memory.ts';
import { lockRequest } from '../../workflows/take-over.ts';
import { liveHeads, type LiveHeads } from '../live/heads.ts';
import { liveJobs, type LiveJobs } from '../live/jobs.ts';
import { liveMap, type LiveMap } from '../live/map.ts';
import { liveNetwork, type LiveNetwork } from '../live/network.ts';
import { livePictures, type LivePictures } from '../live/pictures.ts';
import { liveReview, type LiveReview } from '../live/review.ts';
import { openLiveStore, type LiveStore } from '../live/store.ts';
import { liveSweep, type LiveSweep } from '../live/sweep.ts';
import { liveTeach, type LiveTeach } from '../live/teach/teach.ts';
import { lockStudio } from '../live/lock-studio.ts';
import type { StudioOptions } from './options.ts';
import { uploads, type Uploaded } from './uploads.ts';

/** Everything that the routes ask. */
export interface Studio {
  readonly store: LiveStore;
  readonly network: LiveNetwork;
  readonly heads: LiveHeads;
  readonly pictures: LivePictures;
  readonly map: LiveMap;
  readonly teach: LiveTeach;
  readonly review: LiveReview;
  readonly sweep: LiveSweep;
  readonly jobs: LiveJobs;
  readonly uploaded: Uploaded;
  /** Where taught classes are saved as data sets. */
  readonly taughtFolder: string;
  close(): Promise<void>;
}

/** Opens a store for the studio and begins to load the network. Throws STORE_LOCKED where another studio has it. */
export async function openStudio(
  storePath: string,
  { weights, allowEngine, taught, memory, backboneFile }: StudioOptions,
  listener: Listener,
  takeOver = false,
): Promise<Studio> {
  const store = await openLiveStore(storePath, memoryBound(memory, { listener }), backboneFile);
  const lock = await lockStudio(store.path, lockRequest({ listener, takeOver }));
  const network = liveNetwork({ weights: weights || undefined, allowEngine }, listener);
  const map = liveMap(listener);
  const jobs = liveJobs(network);
  const sweep = liveSweep(jobs);
  const pictures = livePictures();
  const close = async (): Promise<void> => {
    map.dispose();
    await pictures.close();
    await sweep.stop();
    await network.dispose();
    await lock.release();
  };
  try {
    const teach = await liveTeach(store.path, network, listener);
    const review = await liveReview(store.path, jobs, listener);
    // In the background: browsing needs no network, and the first search reports again what is wrong with it.
    store
      .current()
      .then(async (snapshot) => {
        // Laying out a stream takes memory for a while: the network comes after it.
        if (snapshot.isStreamed) await snapshot.rows();
        await network.warm(snapshot);
      })
      .catch((error: unknown) => listener.note?.(`The network is not ready: ${reasonOf(error)}`));
    return {
      store,
      network,
      heads: liveHeads(store.path),
      pictures,
      map,
      teach,
      review,
      sweep,
      jobs,
      uploaded: uploads(),
      taughtFolder: taught === '' ? join(store.path, 'taught') : resolve(taught),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
