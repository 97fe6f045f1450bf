import { migrateText } from '../../report/store-report.ts';
import { TAKE_OVER_OPTIONS } from '../../workflows/take-over.ts';
import type { CommandSpec } from '../program.ts';

export const migrateCommand: CommandSpec = {
  name: 'migrate',
  summary: 'lift a store to the newest version; its features stay as they are',
  arguments: [['<store>', 'a store that extract or run made']],
  options: TAKE_OVER_OPTIONS,
  async act([store], _flags, context) {
    const { migrate } = await import('../../workflows/care/migrate.ts');
    const result = await migrate(store as string, context);
    return { json: result, text: migrateText(result) };
  },
};
