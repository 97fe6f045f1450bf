import * as z from 'zod';

const threeNumbers = z.tuple([z.number(), z.number(), z.number()]);

/** A contract as it stands in manifests, heads and plans; which values may go together is not told here. */
export const contractSchema = z.strictObject({
  name: z.string(),
  size: z.number().int().positive(),
  geometry: z.enum(['squash', 'cover-crop', 'contain-pad']),
  resize: z.number().int().positive().exactOptional(),
  crop: z.literal('floor').exactOptional(),
  pad: threeNumbers.readonly().exactOptional(),
  kernel: z.enum(['nearest', 'bilinear', 'bicubic', 'lanczos']),
  antialias: z.literal(false).exactOptional(),
  rounding: z.literal('pillow').exactOptional(),
  orientation: z.enum(['exif', 'ignore']),
  iccProfile: z.literal('ignore'),
  alpha: z.enum(['white', 'drop']),
  channelOrder: z.enum(['RGB', 'BGR']),
  mean: threeNumbers,
  scale: z.union([z.number(), threeNumbers.readonly()]),
});
