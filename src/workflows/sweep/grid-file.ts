import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readText } from '../../core/files/read-file.ts';
import type { SweepGrid } from './grid.ts';
import type { SweepRequest } from './sweep.ts';

/**
 * The grid of a JSON file or of flags, or neither: the default. `sweep` checks what the file holds. Throws
 * OPTION_INVALID where both are given, or the file cannot be read or is no JSON.
 */
export async function gridRequest(
  file: string,
  axes: SweepGrid | undefined,
): Promise<Pick<SweepRequest, 'grid' | 'gridSource'>> {
  if (file === '') return { grid: axes, gridSource: 'The grid of the flags' };
  if (axes !== undefined) {
    throw new PermafrostError(
      'OPTION_INVALID',
      'A grid stands in a file (--grid) or in flags that list values, not in both. Leave one out.',
    );
  }
  const problem = (what: string, cause: unknown): PermafrostError =>
    new PermafrostError('OPTION_INVALID', `The grid ${file} ${what}: ${reasonOf(cause)}.`, { cause });
  const text = await readText(file).catch((cause: unknown) => {
    throw problem('cannot be read', cause);
  });
  try {
    return { grid: JSON.parse(text) as SweepGrid, gridSource: `The grid ${file}` };
  } catch (cause) {
    throw problem('is no JSON', cause);
  }
}
