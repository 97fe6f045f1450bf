import { PermafrostError } from '../../core/errors.ts';

/** Characters of a name at most. */
export const MOST_NAME = 80;
// Class names become folder names, on any system.
const UNFIT = /[\u0000-\u001f\u007f<>:"/\\|?*]|\p{Surrogate}|^\.|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)$/iu;

/** A name for a class, a head or a folder. Throws OPTION_INVALID. */
export function sanitizeName(text: string): string {
  const name = text.trim().normalize('NFC');
  if (name === '' || name.length > MOST_NAME || UNFIT.test(name))
    throw new PermafrostError(
      'OPTION_INVALID',
      `${JSON.stringify(name)} is no name for a folder: take 1 to ${MOST_NAME} characters without / \\ < > : " | ? *, not starting with a dot.`,
    );
  return name;
}
