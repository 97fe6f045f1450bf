import { numberOption } from '../../core/options.ts';

/** The option `reject` of train and run. */
export const REJECT_OPTION = numberOption(
  0.05,
  'share of images of known classes that may be called unknown, so that others can be; 0: never answer unknown',
  { min: 0, max: 0.5 },
);
