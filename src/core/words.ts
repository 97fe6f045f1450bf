const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, MIB: 2 ** 20, GIB: 2 ** 30 };

/** The bytes of a size such as "500MB", "2GB" or "1.5GiB"; undefined for another text. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?([kmgt]i?b)$/i.exec(text.trim()) ?? [];
  const scale = UNITS[unit?.toUpperCase() ?? ''];
  return scale === undefined ? undefined : Number(number) * scale;
}

/** Bytes as parseBytes reads them, rounded down. */
export const inMegabytes = (bytes: number): string => `${Math.max(0, Math.floor(bytes / 1e6))}MB`;

/** Bytes in words. */
export const inGigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

/** `1 image`, `2 images`. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;
