import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));

const options: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ['node'],
};

/**
 * What an editor tells of a program that imports the built package by its name. Places are those of the word `at` in
 * the program's text.
 */
export function openInEditor(text: string) {
  const file = join(root, 'program.ts');
  const read = (path: string): string | undefined => (path === file ? text : ts.sys.readFile(path));
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot(path) {
      const found = read(path);
      return found === undefined ? undefined : ts.ScriptSnapshot.fromString(found);
    },
    readFile: read,
    fileExists: (path) => path === file || ts.sys.fileExists(path),
    getCurrentDirectory: () => root,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  const place = (at: string): number => {
    if (text.split(at).length !== 2) throw new Error(`"${at}" is not once in the program.`);
    return text.indexOf(at);
  };
  const words = (info: ts.QuickInfo | ts.CompletionEntryDetails | undefined): string =>
    [
      ts.displayPartsToString(info?.documentation),
      ...(info?.tags ?? []).map((tag) => `@${tag.name} ${ts.displayPartsToString(tag.text)}`),
    ].join('\n');
  return {
    errors: (): string[] =>
      service.getSemanticDiagnostics(file).map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n')),
    hover: (at: string): string => words(service.getQuickInfoAtPosition(file, place(at))),
    completions: (at: string): string[] =>
      service.getCompletionsAtPosition(file, place(at), {})?.entries.map(({ name }) => name) ?? [],
    completion: (at: string, name: string): string =>
      words(service.getCompletionEntryDetails(file, place(at), name, {}, undefined, {}, undefined)),
  };
}
