import type { EnginesResult } from '../results/engine-results.ts';
import { left, textTable } from './text-table.ts';

const ORIGINS = { added: 'added by permafrost', found: 'found on this machine' } as const;

/** The runtimes for a terminal: which are there, and what to do about the others. */
export function enginesText({ engines }: EnginesResult): string {
  const rows = engines.map(({ engine, installed, version, origin, path }) => [
    engine,
    installed ? 'yes' : 'no',
    version ?? '-',
    origin === null ? '-' : `${ORIGINS[origin]}: ${path}`,
  ]);
  const table = textTable(left('engine', 'usable', 'version', 'where'), [
    ['onnxruntime', 'yes', '-', 'comes with permafrost'],
    ...rows,
  ]);
  const remarks = engines
    .filter(({ installed }) => !installed)
    .map(({ engine, problem, describe }) => `${engine}: ${problem}\n  permafrost engines add ${engine}: ${describe}\n`);
  return table + (remarks.length > 0 ? `\n${remarks.join('')}` : '');
}
