/** What commands give back. */
export type * from './answer-results.ts';
export type * from './backbone-results.ts';
export type * from './check-result.ts';
export type * from './documents.ts';
export type * from './engine-results.ts';
export type * from './export-result.ts';
export type * from './export-table-result.ts';
export type * from './extract-result.ts';
export type * from './finetune-result.ts';
export type * from './head-result.ts';
export type { OrReason } from './or-reason.ts';
export type * from './machines-result.ts';
export type * from './queue-result.ts';
export type * from './serve-result.ts';
export type * from './store-results.ts';
export type * from './strategies-result.ts';
export type * from './sweep-result.ts';
export type { ReportResult } from './report-data.ts';
