import { pick } from '../../core/options.ts';
import { exportOnnxText, exportTableText, exportWebText } from '../../report/answers/export-report.ts';
import { EXPORT_ONNX_OPTIONS } from '../../workflows/export/options.ts';
import { TABLE_OPTIONS } from '../../workflows/export/table/options.ts';
import { exportTarget, requireOwnFlags } from '../../workflows/export/target.ts';
import { EXPORT_WEB_OPTIONS } from '../../workflows/export/web/options.ts';
import { type CommandSpec } from '../program.ts';

export const exportCommand: CommandSpec = {
  name: 'export',
  summary: 'write a head as one ONNX file that answers anywhere or as a page for browsers, or a store as a table',
  arguments: [['<source>', 'a head file that train or run wrote, or a store: its best head; for a table the store']],
  options: { ...EXPORT_ONNX_OPTIONS, ...EXPORT_WEB_OPTIONS, ...TABLE_OPTIONS },
  async act([source], flags, context) {
    const target = exportTarget(flags);
    const table = { onnx: EXPORT_ONNX_OPTIONS, web: EXPORT_WEB_OPTIONS, table: TABLE_OPTIONS }[target];
    requireOwnFlags(flags, target, Object.keys(table));
    if (target === 'table') {
      const { exportTable } = await import('../../workflows/export/table/export-table.ts');
      const result = await exportTable(source as string, pick(flags, TABLE_OPTIONS), context);
      return { json: result, text: exportTableText(result) };
    }
    const { headFileOf } = await import('../../workflows/run/best-head.ts');
    const file = await headFileOf(source as string, context.listener);
    if (target === 'web') {
      const { exportWeb } = await import('../../workflows/export/web/export-web.ts');
      const result = await exportWeb(file, pick(flags, EXPORT_WEB_OPTIONS), context);
      return { json: result, text: exportWebText(result) };
    }
    const { exportOnnx } = await import('../../workflows/export/onnx.ts');
    const result = await exportOnnx(file, pick(flags, EXPORT_ONNX_OPTIONS), context);
    return { json: result, text: exportOnnxText(result), failed: result.check?.failed.length ?? 0 };
  },
};
