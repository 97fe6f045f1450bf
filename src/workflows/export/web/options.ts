import { stringOption, without, type OptionsOf } from '../../../core/options.ts';
import { EXPORT_ONNX_OPTIONS } from '../options.ts';

/** Options of `export --web`: those of the ONNX file in it, which is checked as `--onnx` does it, and its own. */
export const EXPORT_WEB_OPTIONS = {
  ...without(EXPORT_ONNX_OPTIONS, 'onnx'),
  web: stringOption(
    '',
    'a folder for a web server: a page that classifies images in the browser, with the model in it',
  ),
  title: stringOption('', 'title of the page (default: the classes)'),
} as const;
/** Options of `export --web`. @interface */
export type ExportWebOptions = OptionsOf<typeof EXPORT_WEB_OPTIONS>;
