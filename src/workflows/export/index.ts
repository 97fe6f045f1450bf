/** A head, or a store, written for others to use. */
export { exportOnnx } from './onnx.ts';
export { exportTable } from './table/export-table.ts';
export { exportWeb } from './web/export-web.ts';
export type { ExportOnnxOptions } from './options.ts';
export type { TableOptions } from './table/options.ts';
export type { ExportWebOptions } from './web/options.ts';
