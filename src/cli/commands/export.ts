import { PermafrostError } from '../../core/errors.ts';
import { stringOption } from '../../core/options.ts';
import { exportOnnxText, exportTableText } from '../../report/export-report.ts';
import { EXPORT_ONNX_OPTIONS } from '../../workflows/export/options.ts';
import { TABLE_OPTIONS } from '../../workflows/export/table/options.ts';
import { exportTarget, requireOwnFlags } from '../../workflows/export/target.ts';
import { pick, type CommandSpec } from '../program.ts';

export const exportCommand: CommandSpec = {
  name: 'export',
  summary: 'write a head as one ONNX file that answers anywhere, or a store as a table',
  arguments: [['<source>', 'a head file that train or run wrote, or a store: its best head; for a table the store']],
  options: {
    ...EXPORT_ONNX_OPTIONS,
    web: stringOption('', 'a folder that any web server can serve: the file, a runtime and a page'),
    ...TABLE_OPTIONS,
  },
  async act([source], flags, context) {
    const target = exportTarget(flags);
    if (target === 'table') {
      requireOwnFlags(flags, target, Object.keys(TABLE_OPTIONS));
      const { exportTable } = await import('../../workflows/export/table/export-table.ts');
      const result = await exportTable(source as string, pick(flags, TABLE_OPTIONS), context);
      return { json: result, text: exportTableText(result) };
    }
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
