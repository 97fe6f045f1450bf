import { PermafrostError } from '../../core/errors.ts';
import { stringOption } from '../../core/options.ts';
import { exportOnnxText, exportWebText } from '../../report/export-report.ts';
import { EXPORT_ONNX_OPTIONS } from '../../workflows/export/options.ts';
import { exportTarget, requireOwnFlags } from '../../workflows/export/target.ts';
import { EXPORT_WEB_OPTIONS } from '../../workflows/export/web/options.ts';
import { pick, type CommandSpec } from '../program.ts';

export const exportCommand: CommandSpec = {
  name: 'export',
  summary: 'write a head as one ONNX file that answers anywhere, or as a page that answers in a browser',
  arguments: [['<source>', 'a head file that train or run wrote, or a store: its best head']],
  options: {
    ...EXPORT_ONNX_OPTIONS,
    ...EXPORT_WEB_OPTIONS,
    parquet: stringOption('', 'a Parquet file: a row an image'),
    csv: stringOption('', 'the same as CSV'),
    npz: stringOption('', 'the same as arrays for NumPy'),
  },
  async act([source], flags, context) {
    const target = exportTarget(flags);
    if (target === 'table')
      throw new PermafrostError('OPTION_INVALID', `export: ${target} is not there yet. Give --onnx FILE or --web DIR.`);
    const table = target === 'web' ? EXPORT_WEB_OPTIONS : EXPORT_ONNX_OPTIONS;
    requireOwnFlags(flags, target, Object.keys(table));
    const { headFileOf } = await import('../../workflows/run/best-head.ts');
    const file = await headFileOf(source as string, context.listener);
    if (target === 'web') {
      const { exportWeb } = await import('../../workflows/export/web/export-web.ts');
      const result = await exportWeb(file, pick(flags, EXPORT_WEB_OPTIONS), context);
      return { json: result, text: exportWebText(result) };
    }
    const { exportOnnx } = await import('../../workflows/export/onnx.ts');
    const result = await exportOnnx(file, pick(flags, EXPORT_ONNX_OPTIONS), context);
    return { json: result, text: exportOnnxText(result) };
  },
};
