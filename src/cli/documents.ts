import type { CommandName } from '../results/documents.ts';

/**
 * Versions of the documents that `--json` prints, where they are not 1. A version is raised where a field goes away or
 * gets another meaning; a new field does not raise it.
 */
const RAISED: Readonly<Partial<Record<CommandName | 'error', number>>> = {};

/** What the field `schema` of a document says: `permafrost/run/1`. */
export const schemaOf = (name: CommandName | 'error'): string => `permafrost/${name}/${RAISED[name] ?? 1}`;
