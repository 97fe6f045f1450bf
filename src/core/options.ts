import { PermafrostError } from './errors.ts';
import { suggest } from './suggest.ts';

/** One option: its default, what it means (with unit), which values it takes. Help, checks and docs all read this. */
export interface OptionSpec<T> {
  readonly default: T;
  readonly describe: string;
  /** The accepted values in words, for messages and help. */
  readonly accepts: string;
  readonly kind: 'number' | 'string' | 'boolean';
  readonly choices?: readonly string[];
  readonly check: (value: unknown) => boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a table of specs of differing value types
export type OptionTable = Readonly<Record<string, OptionSpec<any>>>;

export type OptionsOf<S extends OptionTable> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never;
};

/** A number in [min, max]; `above` excludes its bound. */
export function numberOption(
  value: number,
  describe: string,
  limits: { min?: number; above?: number; max?: number; integer?: boolean } = {},
): OptionSpec<number> {
  const { min, above, max, integer = false } = limits;
  const words = [integer ? 'an integer' : 'a number'];
  if (min !== undefined) words.push(`>= ${min}`);
  if (above !== undefined) words.push(`> ${above}`);
  if (max !== undefined) words.push(`<= ${max}`);
  return {
    default: value,
    describe,
    accepts: words.join(' '),
    kind: 'number',
    check: (v) =>
      typeof v === 'number' &&
      Number.isFinite(v) &&
      (!integer || Number.isInteger(v)) &&
      (min === undefined || v >= min) &&
      (above === undefined || v > above) &&
      (max === undefined || v <= max),
  };
}

export function integerOption(
  value: number,
  describe: string,
  limits: { min?: number; max?: number } = {},
): OptionSpec<number> {
  return numberOption(value, describe, { ...limits, integer: true });
}

export function choiceOption<const C extends readonly string[]>(
  choices: C,
  value: C[number],
  describe: string,
): OptionSpec<C[number]> {
  return {
    default: value,
    describe,
    accepts: choices.join(' | '),
    kind: 'string',
    choices,
    check: (v) => typeof v === 'string' && choices.includes(v),
  };
}

export function booleanOption(value: boolean, describe: string): OptionSpec<boolean> {
  return { default: value, describe, accepts: 'true | false', kind: 'boolean', check: (v) => typeof v === 'boolean' };
}

export function stringOption(value: string, describe: string): OptionSpec<string> {
  return { default: value, describe, accepts: 'text', kind: 'string', check: (v) => typeof v === 'string' };
}

/** The flag of an option: `--max-iter` of `maxIter`; a single letter stays as it is: `--C` of `C`, `-k` of `k`. */
export function flagOf(key: string): string {
  if (key === 'k') return '-k, --k';
  return `--${key.length === 1 ? key : key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Those of some options that a table has; what was not given is left out. */
export function pick(options: object, table: OptionTable): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(options).filter(([key, value]) => Object.hasOwn(table, key) && value !== undefined),
  );
}

/** A table, or the options of one, without some of its keys. */
export function without<T extends object, const K extends keyof T>(options: T, ...keys: readonly K[]): Omit<T, K> {
  const left = Object.entries(options).filter(([key]) => !(keys as readonly PropertyKey[]).includes(key));
  return Object.fromEntries(left) as Omit<T, K>;
}

/** The defaults of a table, frozen. */
export function defaultsOf<S extends OptionTable>(table: S): OptionsOf<S> {
  return Object.freeze(
    Object.fromEntries(Object.entries(table).map(([key, spec]) => [key, spec.default as unknown])),
  ) as OptionsOf<S>;
}

/**
 * Given options over the defaults, checked. `undefined` means "not given". Throws OPTION_INVALID for an unknown key or
 * a value out of range; `owner` names the function or head.
 */
export function resolveOptions<S extends OptionTable>(
  owner: string,
  table: S,
  given: Partial<OptionsOf<S>> = {},
): OptionsOf<S> {
  const resolved: Record<string, unknown> = { ...defaultsOf(table) };
  for (const [key, value] of Object.entries(given)) {
    const spec = Object.hasOwn(table, key) ? table[key] : undefined;
    if (spec === undefined) {
      throw new PermafrostError(
        'OPTION_INVALID',
        `${owner} has no option "${key}"${suggest(key, Object.keys(table))}. It takes: ${Object.keys(table).join(', ') || 'none'}.`,
      );
    }
    if (value === undefined) continue;
    if (!spec.check(value)) {
      const near = typeof value === 'string' && spec.choices ? suggest(value, spec.choices) : '';
      throw new PermafrostError(
        'OPTION_INVALID',
        `${owner}: ${key} must be ${spec.accepts}, got ${JSON.stringify(value)}${near}.`,
      );
    }
    resolved[key] = value;
  }
  return Object.freeze(resolved) as OptionsOf<S>;
}
