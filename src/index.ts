export { PermafrostError, ERROR_CODES, type ErrorCode } from './core/errors.ts';
