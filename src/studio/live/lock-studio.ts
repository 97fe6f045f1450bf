import { join } from 'node:path';
import { lockStore, type LockRequest, type StoreLock } from '../../store/write/lock.ts';
import { STUDIO_FOLDER } from '../../store/format/studio-files.ts';

/** Makes this process the only studio of a store; others may extract and train. Throws STORE_LOCKED, STORE_WRITE. */
export function lockStudio(store: string, request?: LockRequest): Promise<StoreLock> {
  return lockStore(join(store, STUDIO_FOLDER), 'permafrost studio', request);
}
