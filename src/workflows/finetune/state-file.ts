import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PermafrostError, reasonOf } from '../../core/errors.ts';
import { readSafetensors, safetensorsParts, type SafeTensor } from '../../core/safetensors.ts';
import type { TailArrays } from '../../extract/training.ts';
import type { FinetuneEpoch, FinetuneTrial } from '../../results/finetune-result.ts';
import { removeFile, writeFileAtomic } from '../../store/format/atomic-file.ts';
import { headDigest } from '../../store/read/heads/head-digest.ts';
import type { FitState } from './training/tail-fit.ts';

/** Where a store keeps fine-tunings that are not done. */
export const FINETUNE_FOLDER = 'finetune';

/** A network that was best so far. */
export interface BestSoFar {
  readonly rate: number;
  readonly epochs: number;
  readonly arrays: TailArrays;
}

/** How far a fine-tuning is, as it stands at the end of an epoch. */
export interface FinetuneState {
  /** The trials that were begun. */
  readonly trials: readonly FinetuneTrial[];
  /** The best of them that beats the frozen head. */
  readonly best?: BestSoFar | undefined;
  /** Epochs on all of Train. */
  readonly refit: readonly FinetuneEpoch[];
  /** Of the last trial, or of the refit where that has begun. */
  readonly fit?: FitState | undefined;
}

interface Document {
  readonly format: 'permafrost-finetune';
  readonly version: 1;
  readonly id: string;
  readonly trials: readonly FinetuneTrial[];
  readonly refit: readonly FinetuneEpoch[];
  readonly steps?: number;
  readonly best?: { readonly rate: number; readonly epochs: number };
}

const PARTS = ['arrays', 'first', 'second'] as const;

/** The file of a fine-tuning, which `id` names: 16 hex digits over all that decides it. */
export const stateFileOf = (store: string, id: string): string => join(store, FINETUNE_FOLDER, `${id}.safetensors`);

/** Replaces the state of a fine-tuning at once. Throws STORE_WRITE. */
export async function writeState(file: string, id: string, { trials, best, refit, fit }: FinetuneState): Promise<void> {
  const tensors = new Map<string, SafeTensor & { dtype: 'F32' }>();
  const put = (prefix: string, arrays: TailArrays): void => {
    for (const [name, data] of arrays) tensors.set(`${prefix}/${name}`, { dtype: 'F32', shape: [data.length], data });
  };
  if (fit !== undefined) for (const part of PARTS) put(part, fit[part]);
  if (best !== undefined) put('best', best.arrays);
  const document: Document = {
    format: 'permafrost-finetune',
    version: 1,
    id,
    trials,
    refit,
    ...(fit && { steps: fit.steps }),
    ...(best && { best: { rate: best.rate, epochs: best.epochs } }),
  };
  const permafrost = JSON.stringify({ ...document, digest: headDigest({ ...document }, tensors) });
  await mkdir(dirname(file), { recursive: true }).catch((cause: unknown) => {
    throw new PermafrostError('STORE_WRITE', `The folder of ${file} cannot be made: ${reasonOf(cause)}.`, { cause });
  });
  await writeFileAtomic(file, safetensorsParts(tensors, { permafrost }));
}

/** The state that a fine-tuning left; undefined where there is none. Throws STORE_CORRUPT for what was not written. */
export async function readState(file: string, id: string): Promise<FinetuneState | undefined> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw damaged(file, reasonOf(error));
  });
  if (bytes === undefined) return undefined;
  const { metadata, tensors } = readSafetensors(bytes, { name: file, code: 'STORE_CORRUPT' });
  const floats = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, { shape, data }] of tensors) {
    if (!(data instanceof Float32Array)) throw damaged(file, `${name} is not float32`);
    floats.set(name, { shape, data });
  }
  let document: Document;
  try {
    const { digest, ...rest } = JSON.parse(metadata.permafrost ?? '') as Document & { digest: string };
    if (digest !== headDigest({ ...rest }, floats)) throw new Error('its digest is not that of its content');
    document = rest;
  } catch (error) {
    throw damaged(file, reasonOf(error));
  }
  if (document.id !== id) throw damaged(file, 'it is of another fine-tuning');
  const under = (prefix: string): TailArrays =>
    new Map(
      Array.from(floats).flatMap(([name, { data }]) =>
        name.startsWith(`${prefix}/`) ? [[name.slice(prefix.length + 1), data] as const] : [],
      ),
    );
  const { trials, refit, steps, best } = document;
  return {
    trials,
    refit,
    ...(steps !== undefined && {
      fit: { arrays: under('arrays'), first: under('first'), second: under('second'), steps },
    }),
    ...(best && { best: { ...best, arrays: under('best') } }),
  };
}

/** Removes a state. */
export const removeState = (file: string): Promise<void> => removeFile(file);

const damaged = (file: string, found: string): PermafrostError =>
  new PermafrostError(
    'STORE_CORRUPT',
    `${file}, the state of an interrupted fine-tuning, is damaged: ${found}. Begin anew with --restart.`,
  );
