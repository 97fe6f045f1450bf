import { booleanOption, type OptionsOf } from '../../core/options.ts';

/** Options of `gc`. */
export const GC_OPTIONS = {
  otherSets: booleanOption(false, 'also drop the features of every setting but that of the last extraction'),
  tunedSets: booleanOption(
    false,
    'also drop the features of tuned networks; their files stay, and bring them back (extract --backbone-file)',
  ),
  dryRun: booleanOption(false, 'only tell what would be removed'),
} as const;
/** Options of `gc`. @interface */
export type GcOptions = OptionsOf<typeof GC_OPTIONS>;
