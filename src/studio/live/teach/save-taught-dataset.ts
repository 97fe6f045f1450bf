import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { PermafrostError, reasonOf } from '../../../core/errors.ts';
import { imageExtension } from '../../../extract/dataset/image-extension.ts';
import { writeFileAtomic } from '../../../store/format/atomic-file.ts';
import type { TaughtFolder } from '../../../store/format/studio-files.ts';
import { heldTemporary } from '../../../store/format/temporary-files.ts';

/**
 * Writes taught classes as `<target>/Train/<class>/<number>-<name>`: all or nothing, into a new folder. Throws
 * OPTION_INVALID, FIT_INVALID where there is no image, IMAGE_UNREADABLE, STORE_WRITE.
 */
export async function saveTaughtDataset(
  classes: readonly TaughtFolder[],
  read: (sha256: string) => Promise<Uint8Array>,
  target: string,
): Promise<void> {
  const filled = classes.filter(({ images }) => images.length > 0);
  if (filled.length === 0) throw new PermafrostError('FIT_INVALID', 'There is no taught image to save.');
  const { path: staged, end } = heldTemporary(target);
  try {
    await mkdir(dirname(target), { recursive: true });
    await mkdir(target);
  } catch (cause) {
    const there = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw new PermafrostError(
      there ? 'OPTION_INVALID' : 'STORE_WRITE',
      there ? `${target} is there already. Take another name.` : `${target} cannot be made: ${reasonOf(cause)}.`,
      { cause },
    );
  }
  try {
    for (const { name, images } of filled) {
      const folder = join(staged, 'Train', name);
      await mkdir(folder, { recursive: true });
      for (const [i, image] of images.entries()) {
        const bytes = await read(image.sha256);
        const stem = image.name.slice(0, image.name.length - extname(image.name).length).replace(/[^\w-]+/g, '-');
        const file = `${String(i + 1).padStart(4, '0')}-${stem.slice(0, 40)}${await imageExtension(bytes)}`;
        await writeFileAtomic(join(folder, file), [bytes]);
      }
    }
    // The empty folder kept the name until now.
    await rmdir(target);
    await rename(staged, target);
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    await rm(target, { recursive: true, force: true });
    if (error instanceof PermafrostError) throw error;
    throw new PermafrostError('STORE_WRITE', `${target} could not be written: ${reasonOf(error)}.`, { cause: error });
  } finally {
    end();
  }
}
