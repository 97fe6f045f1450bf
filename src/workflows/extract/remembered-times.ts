import { reasonOf } from '../../core/errors.ts';
import { openFileTimes, type FileTimes } from '../../store/format/file-times.ts';
import type { Work } from '../work.ts';

/** What a store remembers of the files at `root`. A damaged file is reported and not used: every image is read. */
export async function rememberedTimes(
  store: string,
  root: string,
  fresh: boolean,
  { listener }: Work,
): Promise<FileTimes> {
  try {
    return await openFileTimes(store, root, fresh);
  } catch (error) {
    listener?.note?.(`${reasonOf(error)} Every image is read this time, and the file is made anew.`);
    return openFileTimes(store, root, true);
  }
}

/** Keeps what was learned of the files; a failure is reported, not thrown, for the features are in place. */
export async function keepTimes(times: FileTimes, { listener }: Work): Promise<void> {
  try {
    await times.write();
  } catch (error) {
    listener?.note?.(`Next time every image is read again: ${reasonOf(error)}`);
  }
}
