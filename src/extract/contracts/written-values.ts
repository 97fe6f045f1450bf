import * as z from 'zod';
import type { Rgb } from '../../core/contract.ts';

/** A description without the keys whose value is null: in files of Python these are not given. */
export function withoutNulls(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const given = Object.entries(json).filter(([, value]) => value !== null);
  return Object.fromEntries(given.map(([key, value]) => [key, withoutNulls(value)]));
}

/** Side of a square in pixels. What reads larger ones is no network for images, or the number is a mistake. */
export const side = z.number().int().positive().max(4096);

/** A level of an 8-bit channel. */
export const level = z.number().int().min(0).max(255);

/** A mean, in whatever unit. Numbers have bounds so that what is made of them is a number in float32 too. */
export const average = z.number().min(-1e6).max(1e6);

/** A deviation, or a factor that pixels are multiplied by. */
export const factor = z.number().min(1e-9).max(1e9);

/** One number for all three channels, or three. */
export const eachChannel = (number: z.ZodNumber): z.ZodType<Rgb> =>
  z
    .union([number, z.tuple([number, number, number])])
    .transform((given): Rgb => (typeof given === 'number' ? [given, given, given] : given));
