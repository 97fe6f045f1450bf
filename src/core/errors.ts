/** Every way in which permafrost says no. A code is stable, so scripts may test it; docs/errors.md lists them all. */
export const ERROR_CODES = [
  'OPTION_INVALID',
  'DATASET_NOT_FOUND',
  'DATASET_EMPTY',
  'DATASET_LAYOUT',
  'DATASET_CLASSES',
  'DATASET_UNREACHABLE',
  'ARCHIVE_CORRUPT',
  'IMAGE_UNREADABLE',
  'IMAGE_UNDECODABLE',
  'IMAGE_CRASHED',
  'CONTRACT_MISSING',
  'CONTRACT_INVALID',
  'WEIGHTS_NOT_FOUND',
  'WEIGHTS_CORRUPT',
  'WEIGHTS_MISMATCH',
  'BACKBONE_NOT_FOUND',
  'BACKBONE_INVALID',
  'ENGINE_UNAVAILABLE',
  'ENGINE_FAILED',
  'ENGINE_DISAGREES',
  'CACHE_UNSAFE',
  'PRECISION_LOSS',
  'PACKAGE_MISSING',
  'FEATURE_OVERFLOW',
  'STORE_NOT_FOUND',
  'STORE_CORRUPT',
  'STORE_VERSION',
  'STORE_EMPTY',
  'STORE_CHANGED',
  'STORE_WRITE',
  'STORE_LOCKED',
  'STORE_DATASET',
  'FINGERPRINT_MISMATCH',
  'PLAN_NOT_FOUND',
  'UNITS_MISSING',
  'NOTHING_TO_PLAN',
  'QUEUE_UNAVAILABLE',
  'HEAD_CORRUPT',
  'FIT_INVALID',
  'TOO_MANY_FAILURES',
  'INTERRUPTED',
] as const;

/** One of ERROR_CODES. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The one error class. The message says what was found, what was expected and what to do next. */
export class PermafrostError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'PermafrostError';
    this.code = code;
  }
}

/** The message of anything that was thrown, on one line. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}

/** The first `most` of some names, and how many more there are: for a message. */
export function few(names: readonly string[], most = 5): string {
  const rest = names.length - most;
  return names.slice(0, most).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}
