import { PermafrostError } from '../core/errors.ts';
import type { HeadState } from './head.ts';
import { NORMALIZATIONS, type Normalizer } from './normalize.ts';

/** The normaliser as data, for a head's file. */
export function normalizerState(normalizer: Normalizer): HeadState {
  const { kind, features } = normalizer;
  const parts = 'parts' in normalizer ? normalizer.parts : undefined;
  const json = { kind, features, ...(parts && { parts }) };
  if (!('mean' in normalizer)) return { json, tensors: new Map() };
  const shape = [normalizer.features];
  return {
    json,
    tensors: new Map([
      ['mean', { shape, data: normalizer.mean }],
      ['scale', { shape, data: normalizer.scale }],
      ...(normalizer.kind === 'power' ? [['lambdas', { shape, data: normalizer.lambdas }] as const] : []),
    ]),
  };
}

/** The normaliser that `normalizerState` wrote. Throws HEAD_CORRUPT when something is missing or has another shape. */
export function loadNormalizer(state: HeadState): Normalizer {
  const { kind, features, parts } = state.json;
  const known = NORMALIZATIONS.find((name) => name === kind);
  if (known === undefined || typeof features !== 'number') {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored normalisation is ${JSON.stringify(kind)} of ${JSON.stringify(features)} features; expected ${NORMALIZATIONS.join(', ')} and a number. Train the head again.`,
    );
  }
  if (known === 'none') return { kind: known, features };
  if (known === 'l2' || known === 'sqrt')
    return { kind: known, features, ...(parts !== undefined && { parts: columnsOf(parts, features) }) };
  const scaling = { features, mean: column(state, 'mean', features), scale: column(state, 'scale', features) };
  if (known === 'standard') return { kind: known, ...scaling };
  return { kind: known, ...scaling, lambdas: column(state, 'lambdas', features) };
}

function columnsOf(parts: unknown, features: number): readonly number[] {
  const isWhole = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
  if (Array.isArray(parts) && parts.every(isWhole) && parts.reduce((sum, n) => sum + n, 0) === features) return parts;
  throw new PermafrostError(
    'HEAD_CORRUPT',
    `The stored normalisation has the parts ${JSON.stringify(parts)}; expected numbers of columns that make ${features}. Train the head again.`,
  );
}

function column(state: HeadState, name: string, features: number): Float32Array {
  const data = state.tensors.get(name)?.data;
  if (!(data instanceof Float32Array) || data.length !== features) {
    throw new PermafrostError(
      'HEAD_CORRUPT',
      `The stored normalisation lacks the tensor "${name}" of ${features} float32 values. Train the head again.`,
    );
  }
  return data;
}
