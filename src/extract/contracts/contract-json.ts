import * as z from 'zod';
import type { Contract } from '../../core/contract.ts';
import { contractSchema } from '../../core/contract-schema.ts';
import { without } from '../../core/options.ts';
import { AS_SEEN } from './canonical.ts';
import { checked, contractInvalid } from './contract-invalid.ts';
import { contractOf } from './presets.ts';
import { average, level, side } from './written-values.ts';

/** A contract as a person writes it: how pictures are seen may be left out, and a name says nothing. */
const writtenSchema = contractSchema.extend({
  name: z.string().optional(),
  size: side,
  resize: side.exactOptional(),
  mean: z.tuple([average, average, average]),
  pad: z.tuple([level, level, level]).exactOptional(),
  orientation: contractSchema.shape.orientation.default(AS_SEEN.orientation),
  iccProfile: contractSchema.shape.iccProfile.default(AS_SEEN.iccProfile),
  alpha: contractSchema.shape.alpha.default(AS_SEEN.alpha),
});

/** A contract of permafrost's own fields, in the form that it is kept in. Throws CONTRACT_INVALID. */
export function contractFromJson(source: string, json: unknown): Contract {
  const fields = without(checked(source, writtenSchema, json), 'name');
  const { size, geometry, resize = size, pad, kernel, antialias, scale } = fields;
  const refuse = (field: string, value: unknown, because: string): never => {
    throw contractInvalid(source, field, value, because, 'Correct it.');
  };
  if (resize < size) refuse('resize', resize, `a square of ${size} pixels cannot be cut out of that`);
  if (pad !== undefined && geometry !== 'contain-pad')
    refuse('pad', pad, `a picture under ${geometry} leaves no ground`);
  if (antialias === false && kernel === 'lanczos') refuse('antialias', false, 'lanczos is always antialiased');
  if ([scale].flat().some((one) => !(Math.abs(one) >= 1e-9 && Math.abs(one) <= 1e9)))
    refuse('scale', scale, 'it must lie between 1e-9 and 1e9, of either sign');
  return contractOf(fields);
}
