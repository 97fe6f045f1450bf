import { booleanOption, integerOption, stringOption, type OptionSpec, type OptionsOf } from '../core/options.ts';
import { parseBytes } from '../core/words.ts';
import { CLASSIFIER_OPTIONS } from '../workflows/classifier/options.ts';

const bytesOption = (value: string, describe: string): OptionSpec<string> => ({
  default: value,
  describe,
  accepts: 'a size such as 500MB, 2GB or 1.5GiB',
  kind: 'string',
  check: (given) => typeof given === 'string' && (parseBytes(given) ?? 0) > 0,
});

/** Options of `serve`. */
export const SERVE_OPTIONS = {
  host: stringOption(
    '127.0.0.1',
    'address to listen on; one that other machines reach needs --token or --insecure; 0.0.0.0: all of this machine',
  ),
  port: integerOption(8080, 'port to listen on; 0: a free one', { min: 0, max: 65535 }),
  token: stringOption(
    '',
    'who asks must send it (Authorization: Bearer TOKEN); empty: PERMAFROST_TOKEN of the environment, else nobody must',
  ),
  insecure: booleanOption(false, 'let everybody ask who reaches --host, without a token'),
  maxBytes: bytesOption('20MB', 'most bytes of one request'),
  queue: integerOption(256, 'most images that wait or are under way; what comes above is asked to come again (429)', {
    min: 1,
  }),
  ...CLASSIFIER_OPTIONS,
  maxMegapixels: integerOption(100, 'most million pixels of an image; larger ones are not decoded', {
    min: 1,
    max: 268,
  }),
} as const;
/**
 * Options of `serve`.
 *
 * @interface
 */
export type ServeOptions = OptionsOf<typeof SERVE_OPTIONS>;
