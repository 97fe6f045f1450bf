import { migrateText } from '../../report/store-report.ts';
import type { CommandSpec } from '../program.ts';

export const migrateCommand: CommandSpec = {
  name: 'migrate',
  summary: 'lift a store to the newest version; its features stay as they are',
  arguments: [['<store>', 'a store that extract or run made']],
  options: {},
  async act([store]) {
    const { migrate } = await import('../../workflows/care/migrate.ts');
    const result = await migrate(store as string);
    return { json: result, text: migrateText(result) };
  },
};
