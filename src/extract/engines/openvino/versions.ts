import { PermafrostError } from '../../../core/errors.ts';

/** The release that `permafrost engines add openvino` installs. */
export const PINNED_VERSION = '2026.4.0';

/** The range of releases that are taken. Those on which the engine's tests were run: 2024.6, 2025.4 and 2026.4. */
const OLDEST = '2024.6';
const NEWEST = '2026.4';

/** `2024.6` and longer as a number that sorts, 202406; NaN for anything else. */
function releaseNumber(build: string): number {
  const [, year, minor] = /^(\d{4})\.(\d{1,2})(?:\.|$)/.exec(build) ?? [];
  return Number(year) * 100 + Number(minor);
}

/** `2026.4.0` from a build such as `2026.4.0-22959-99c81491cc3-releases/2026/4`, or else the whole text. */
export function versionOfBuild(build: string): string {
  return /^\d+\.\d+\.\d+/.exec(build)?.[0] ?? build;
}

/** Refuses an untried release with ENGINE_UNAVAILABLE: C functions that changed corrupt memory rather than fail. */
export function requireKnownVersion(build: string, path: string): void {
  const release = releaseNumber(build);
  if (release >= releaseNumber(OLDEST) && release <= releaseNumber(NEWEST)) return;
  throw new PermafrostError(
    'ENGINE_UNAVAILABLE',
    `${path} is OpenVINO "${build}"; permafrost knows ${OLDEST} to ${NEWEST}. Run "npx permafrost engines add openvino" for ${PINNED_VERSION}, and unset OPENVINO_LIB_DIR if it names the other.`,
  );
}
