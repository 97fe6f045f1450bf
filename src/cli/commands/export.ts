import { PermafrostError } from '../../core/errors.ts';
import { stringOption } from '../../core/options.ts';
import { exportOnnxText } from '../../report/export-report.ts';
import { EXPORT_ONNX_OPTIONS } from '../../workflows/export/options.ts';
import { exportTarget, requireOwnFlags } from '../../workflows/export/target.ts';
import { pick, type CommandSpec } from '../program.ts';

export const exportCommand: CommandSpec = {
  name: 'export',
  summary: 'write a head as one ONNX file that answers anywhere',
  arguments: [['<source>', 'a head file that train or run wrote, or a store: its best head']],
  options: {
    ...EXPORT_ONNX_OPTIONS,
    web: stringOption('', 'a folder that any web server can serve: the file, a runtime and a page'),
    parquet: stringOption('', 'a Parquet file: a row an image'),
    csv: stringOption('', 'the same as CSV'),
    npz: stringOption('', 'the same as arrays for NumPy'),
  },
  async act([source], flags, context) {
    const target = exportTarget(flags);
    if (target !== 'onnx')
      throw new PermafrostError('OPTION_INVALID', `export: ${target} is not there yet. Give --onnx FILE.`);
    requireOwnFlags(flags, target, Object.keys(EXPORT_ONNX_OPTIONS));
    const { headFileOf } = await import('../../workflows/run/best-head.ts');
    const { exportOnnx } = await import('../../workflows/export/onnx.ts');
    const file = await headFileOf(source as string, context.listener);
    const result = await exportOnnx(file, pick(flags, EXPORT_ONNX_OPTIONS), context);
    return { json: result, text: exportOnnxText(result) };
  },
};
