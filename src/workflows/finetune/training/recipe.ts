import { PermafrostError } from '../../../core/errors.ts';
import type { DenseHead } from '../../../extract/training.ts';
import type { FinetuneOptions } from '../options.ts';

/** How a tail is trained. */
export interface Recipe {
  readonly name: FinetuneOptions['recipe'];
  /** Whether it begins with the exact frozen head; else with random weights. */
  readonly warm: boolean;
  readonly head: Omit<DenseHead, 'classes'>;
  /** Of the layers: each is tried where there are several. */
  readonly rates: readonly [number, ...number[]];
  readonly headRate: number;
  readonly epochs: number;
  readonly schedule: 'cosine' | 'constant';
  readonly batch: number;
  readonly l2Sp: number;
  readonly labelSmoothing: number;
  readonly views: number;
  readonly seed: number;
}

/** What the recipes say where the options do not. */
const RECIPES = {
  'warm-start': {
    warm: true,
    head: { pooling: 'avg', norm: 'l2' },
    rates: '1e-4,3e-5',
    // On rows of length 1 the exact head's weights are of the size of C: larger steps than those of the layers.
    headRate: 3e-3,
    epochs: 4,
    schedule: 'cosine',
  },
  'report-2020': {
    warm: false,
    head: { pooling: 'flatten', norm: 'none' },
    rates: '3e-5',
    headRate: 1e-4,
    epochs: 5,
    schedule: 'constant',
  },
} as const;

function ratesOf(text: string): [number, ...number[]] {
  const rates = text.split(',').map((word) => (word.trim() === '' ? NaN : Number(word)));
  if (rates.some((rate) => !(rate > 0 && rate < Infinity)) || new Set(rates).size < rates.length)
    throw new PermafrostError(
      'OPTION_INVALID',
      `finetune: rates must be different numbers above 0 with commas between them, such as 1e-4,3e-5, got "${text}".`,
    );
  return rates as [number, ...number[]];
}

/** The recipe that the options name, with theirs over its own values. Throws OPTION_INVALID. */
export function recipeOf(options: FinetuneOptions): Recipe {
  const { recipe: name, batch, l2Sp, labelSmoothing, views, seed } = options;
  const own = RECIPES[name];
  const rates = ratesOf(options.rates || own.rates);
  if (!own.warm && rates.length > 1)
    throw new PermafrostError(
      'OPTION_INVALID',
      `finetune: the recipe ${name} chooses nothing, so it takes one rate, got ${rates.length} (${options.rates}).`,
    );
  return {
    ...own,
    name,
    rates,
    headRate: options.headRate || own.headRate,
    epochs: options.epochs || own.epochs,
    batch,
    l2Sp,
    labelSmoothing,
    views,
    seed,
  };
}
