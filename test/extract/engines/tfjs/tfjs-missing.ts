import { reasonOf } from '../../../../src/core/errors.ts';
import { findPackage, TFJS_PACKAGES, type TfjsPackage } from '../../../../src/extract/engines/tfjs/packages.ts';

/** Why the tests of a package of tfjs are skipped here; undefined where it is installed. */
export function tfjsMissing(key: TfjsPackage): string | undefined {
  const found = findPackage(key);
  if (found !== null && found.problem === null) return undefined;
  return `${TFJS_PACKAGES[key]} ${reasonOf(found?.problem ?? 'is not installed')}: permafrost engines add tfjs`;
}

/** The name of a suite that needs a package, saying why it is skipped where it is. */
export function needsTfjs(key: TfjsPackage, title: string): string {
  const missing = tfjsMissing(key);
  return missing === undefined ? title : `${title} [skipped: ${missing}]`;
}
