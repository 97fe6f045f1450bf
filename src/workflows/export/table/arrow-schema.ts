import { arrowSchemaText } from '../../../store/format/arrow-file.ts';
import type { ListsAs } from '../../../core/table/parquet.ts';
import type { TableColumn } from '../../../core/table/table.ts';

/** The metadata by which Arrow readers take lists of equal length for what they are. */
export const arrowSchemaOf = (columns: readonly TableColumn[], listsAs: ListsAs): ReadonlyMap<string, string> =>
  new Map(listsAs === 'columns' ? [] : [['ARROW:schema', arrowSchemaText(columns)]]);
