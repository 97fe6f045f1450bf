import type { Listener } from '../../core/listener.ts';

/** A runtime that `permafrost engines` can fetch, look for and take away. */
export interface EngineInstallation {
  readonly engine: string;
  /** What is fetched, from where and how large, in one sentence. */
  readonly describe: string;
  /** What of it is found on this machine now. */
  status(): Promise<InstallationStatus>;
  /** Fetches the pinned version into the cache, checked by SHA-256, if it is not there. Throws ENGINE_UNAVAILABLE. */
  add(work: { readonly listener?: Listener; readonly signal?: AbortSignal }): Promise<InstallationStatus>;
  /** Removes what `add` brought, and nothing else. */
  remove(): Promise<void>;
}

export interface InstallationStatus {
  readonly installed: boolean;
  readonly version: string | null;
  /** Where it lies, and whether it is ours or was found elsewhere (a pip install, an environment variable). */
  readonly path: string | null;
  readonly origin: 'added' | 'found' | null;
  /** Why it is not usable, where it is not. */
  readonly problem: string | null;
}
