// @ts-check
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';

/** @typedef {import('../src/core/options.ts').OptionSpec<unknown>} OptionSpec */

/** @param {unknown} value @returns {value is OptionSpec} */
const isOption = (value) => typeof value === 'object' && value !== null && 'describe' in value && 'accepts' in value;

/** @param {OptionSpec} option */
const sentence = ({ describe, accepts }) =>
  `${describe.charAt(0).toUpperCase()}${describe.slice(1)} (${accepts}).`.replaceAll('*/', '*\\/');

/**
 * The comments of all options in an object type, and where they belong in the text.
 * @param {ts.TypeNode | undefined} type
 * @param {unknown} value what the type is of
 * @param {ts.SourceFile} file
 * @returns {{ at: number, comment: string }[]}
 */
function commentsOf(type, value, file) {
  if (type === undefined || !ts.isTypeLiteralNode(type)) return [];
  const values = new Map(Object.entries(/** @type {object} */ (value)));
  return type.members.filter(ts.isPropertySignature).flatMap((member) => {
    const name = ts.isComputedPropertyName(member.name) ? '' : member.name.text;
    const one = values.get(name);
    if (!isOption(one)) return commentsOf(member.type, one, file);
    const at = member.getStart(file);
    const newLine = `\n${' '.repeat(file.getLineAndCharacterOfPosition(at).character)}`;
    const lines = ['/**', ` * ${sentence(one)}`, ` * @defaultValue ${JSON.stringify(one.default)}`, ' */', ''];
    return [{ at, comment: lines.join(newLine) }];
  });
}

/**
 * Writes what each option means, takes and is by default into the compiled declarations, as comments that editors
 * and TypeDoc show. The tables in src/ say it once, as values for help and checks; no type can take it from there.
 * @param {string} folder the compiled sources
 */
export async function documentOptions(folder) {
  for (const name of /** @type {string[]} */ (readdirSync(folder, { recursive: true }))) {
    const path = join(folder, name);
    const text = name.endsWith('.d.ts') ? readFileSync(path, 'utf8') : '';
    if (!text.includes('OptionSpec<')) continue;
    const values = await import(pathToFileURL(resolve(path.replace(/\.d\.ts$/, '.js'))).href);
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    const comments = file.statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap(({ name, type }) => commentsOf(type, values[name.getText(file)], file));
    const pieces = [0, ...comments.map(({ at }) => at)].map((from, i) => text.slice(from, comments[i]?.at));
    writeFileSync(path, pieces.map((piece, i) => piece + (comments[i]?.comment ?? '')).join(''));
  }
}
